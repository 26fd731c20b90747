// How a person looks at the graph: moved, zoomed, and as a whole.

const FAR = 0.5; // below this zoom small print is left out
const still = matchMedia("(prefers-reduced-motion: reduce)");

/** Move and zoom a picture by pointer, wheel and fingers, until `signal`; `moved` and `clicked` are told. */
function looking(canvas, picture, { signal, moved, clicked }) {
  const camera = { x: 0, y: 0, zoom: 1, fitted: true };

  /** Put the picture where the camera looks. */
  function apply() {
    picture.world.setAttribute("transform", `translate(${camera.x} ${camera.y}) scale(${camera.zoom})`);
    canvas.classList.toggle("far", camera.zoom < FAR);
    canvas.style.setProperty("--unzoomed", Math.min(1 / camera.zoom, 5));
    moved();
  }

  function fit() {
    const [left, top, right, bottom] = picture.bounds;
    const { width, height } = canvas.getBoundingClientRect();
    const margin = Math.min(28, width / 20);
    const across = (width - 2 * margin) / (right - left || 1), down = (height - 2 * margin) / (bottom - top || 1);
    camera.zoom = Math.min(across, down, 1.5);
    camera.x = width / 2 - (camera.zoom * (left + right)) / 2;
    camera.y = height / 2 - (camera.zoom * (top + bottom)) / 2;
    camera.fitted = true;
    apply();
  }

  function zoomAbout(x, y, factor) {
    const zoom = Math.max(0.02, Math.min(6, camera.zoom * factor));
    camera.x = x - ((x - camera.x) * zoom) / camera.zoom;
    camera.y = y - ((y - camera.y) * zoom) / camera.zoom;
    camera.zoom = zoom;
    camera.fitted = false;
    apply();
  }

  /** Bring a node into view, if it is not. */
  function follow(key, duration) {
    if (camera.fitted) return;
    const node = picture.places.get(picture.standing(key)), { width, height } = canvas.getBoundingClientRect();
    if (!node) return;
    const [x, y] = onScreen(node.x + node.width / 2, node.y + node.height / 2);
    const edge = Math.min(80, width / 5);
    if (x > edge && x < width - edge && y > edge && y < height - edge) return;
    glide(width / 2 - x, height / 2 - y, still.matches ? 0 : duration);
  }

  let gliding = 0;

  /** Move the view by so much within so many milliseconds. */
  function glide(dx, dy, duration) {
    const begun = performance.now();
    let done = 0;
    cancelAnimationFrame(gliding);
    const move = (time) => {
      const part = duration ? Math.min(1, Math.max(0, time - begun) / duration) : 1;
      const eased = part * (2 - part);
      camera.x += dx * (eased - done);
      camera.y += dy * (eased - done);
      done = eased;
      apply();
      if (part < 1) gliding = requestAnimationFrame(move);
    };
    move(begun);
  }

  const pointers = new Map();
  let dragged = false;
  canvas.addEventListener("pointerdown", (event) => {
    pointers.set(event.pointerId, event);
    cancelAnimationFrame(gliding);
    dragged = false;
  });
  addEventListener("pointerup", (event) => pointers.delete(event.pointerId), { signal });
  addEventListener("pointercancel", (event) => pointers.delete(event.pointerId), { signal });
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const box = canvas.getBoundingClientRect();
    const other = [...pointers.values()].find((each) => each.pointerId !== event.pointerId);
    if (other) {
      dragged = true;
      const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1;
      zoomAbout((event.clientX + other.clientX) / 2 - box.left, (event.clientY + other.clientY) / 2 - box.top, apart(event) / apart(before));
    } else if (dragged || Math.hypot(event.clientX - before.clientX, event.clientY - before.clientY) > 3) {
      if (!dragged) canvas.setPointerCapture(event.pointerId);
      dragged = true;
      camera.x += event.clientX - before.clientX;
      camera.y += event.clientY - before.clientY;
      camera.fitted = false;
      apply();
    } else return;
    pointers.set(event.pointerId, event);
  });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = canvas.getBoundingClientRect(), lines = event.deltaMode ? 30 : 1;
    zoomAbout(event.clientX - box.left, event.clientY - box.top, Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0015)));
  }, { passive: false });
  canvas.addEventListener("click", (event) => {
    if (!dragged) clicked(event.target.closest("[data-node]")?.dataset.node ?? null);
  });
  new ResizeObserver(() => (camera.fitted ? fit() : apply())).observe(canvas);

  // Paper has a size of its own: the whole graph is printed, as large as there is room for.
  addEventListener("beforeprint", () => {
    const [left, top, right, bottom] = picture.bounds;
    picture.world.removeAttribute("transform");
    canvas.setAttribute("viewBox", `${left - 10} ${top - 10} ${right - left + 20} ${bottom - top + 20}`);
  }, { signal });
  addEventListener("afterprint", () => {
    canvas.removeAttribute("viewBox");
    apply();
  }, { signal });

  /** Where a point of the picture is on the screen, from the left and the top of the canvas. */
  const onScreen = (x, y) => [camera.x + camera.zoom * x, camera.y + camera.zoom * y];

  return Object.assign(camera, { apply, fit, zoomAbout, follow, onScreen, isDragging: () => pointers.size > 0 && dragged });
}
