// Playing: beats follow each other, each as long as was chosen.

const SLOWEST_TO_FLY = 120; // milliseconds of a beat in which numbers can still be seen to fly

/** Plays what `goto(number, { flying })` shows; `now()` is the moment in view. */
class Playing {
  constructor(root, source, level, { goto, now }) {
    Object.assign(this, { root, source, goto, now, playing: false, speed: 2, timer: 0 });
    this.setLevel(level);
    this.setSpeed(1);
  }

  find(selector) { return this.root.querySelector(selector); }

  async beat() {
    if (!this.playing) return;
    const { source } = this, begun = performance.now(), period = 1000 / this.speed;
    try {
      await this.goto(source.boundary(this.now().number, this.level, 1), { flying: period >= SLOWEST_TO_FLY ? 0.7 * period : 0 });
      if (this.now().number >= source.last() || source.stops(this.now())) return this.pause();
    } catch (error) {
      this.pause();
      throw error;
    }
    if (this.playing) this.timer = setTimeout(() => this.beat(), Math.max(0, begun + period - performance.now()));
  }

  play() {
    if (this.playing) return;
    this.playing = true;
    this.show();
    if (this.now().number >= this.source.last()) this.goto(0).then(() => this.beat());
    else this.beat();
  }

  pause() {
    this.playing = false;
    clearTimeout(this.timer);
    this.show();
  }

  show() {
    const button = this.find("#play");
    button.classList.toggle("playing", this.playing);
    button.setAttribute("aria-label", this.playing ? "Pause" : "Play");
    this.find("#caption").setAttribute("aria-live", this.playing ? "off" : "polite"); // a step by hand is read out
  }

  setLevel(level) { this.level = this.find("#level").value = level; }

  setSpeed(power) {
    const slider = this.find("#speed");
    slider.value = power;
    this.speed = 2 ** Number(slider.value);
    this.find("#rate").textContent = `${Number(this.speed.toPrecision(2))} /s`;
  }

  changeSpeed(power) { this.setSpeed(Number(this.find("#speed").value) + power); }
}
