// Keeps a page, and a notebook that has it in a frame, at the same moment.

const TOLD_EVERY = 150; // milliseconds between two messages while a network trains

/**
 * Tell a port every state of this page, and take up those that come from it. Of several that came
 * meanwhile only the newest counts; what was told before it was taken up says so by an earlier number.
 */
function join(port) {
  const { page } = window.nodeflow;
  let agreed = null; // the state that both sides have
  let wanted = null, seen = 0, timer = 0, following = false, watched = false, over = false;

  async function follow() {
    if (following) return;
    following = true;
    while (wanted && !over) {
      const { number, state } = wanted;
      [wanted, seen] = [null, number];
      if (state === agreed) continue;
      agreed = state;
      await takeUp(JSON.parse(state)).catch(sendSoon); // the page says what it is; the other side hears where it stands
    }
    following = false;
    if (!watched) watch(sendSoon);
    watched = true;
  }

  function send() {
    timer = 0;
    if (over) return;
    if (following) return sendSoon(); // it is between two moments
    const state = JSON.stringify({ ...stateNow(), page });
    if (state === agreed) return;
    agreed = state;
    port.postMessage({ seen, state, moment: player.api.moment(), weights: player.api.weights() });
  }

  function sendSoon() { if (!over) timer ||= setTimeout(send, TOLD_EVERY); }

  port.onmessage = ({ data }) => {
    over = data === null;
    wanted = data;
    follow();
  };
  port.postMessage({ page });
}
