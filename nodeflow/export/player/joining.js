// Keeps a page, and a notebook that has it in a frame, at the same moment.

const TOLD_EVERY = 150; // milliseconds between two messages while a network trains

/** A state as text, whatever the order of its parts. */
const inOrder = (state) => JSON.stringify(Object.fromEntries(Object.entries(state).sort(([one], [other]) => (one < other ? -1 : 1))));

/**
 * Tell a port every state of this page, and take up those that come from it. Of several that came
 * meanwhile only the newest counts; what was told before it was taken up says so by an earlier number.
 * Who stepped before the notebook was there keeps the steps: that the page opened is no news.
 */
function join(port) {
  const { page } = window.nodeflow;
  let agreed = opening && inOrder(opening); // the state that both sides have
  let wanted = null, seen = 0, timer = 0, following = false, watched = false, over = false;

  async function follow() {
    if (following) return;
    following = true;
    while (wanted && !over) {
      const { number } = wanted, state = JSON.parse(wanted.state), text = inOrder(state);
      [wanted, seen] = [null, number];
      if (text === agreed) continue;
      agreed = text;
      await takeUp(state).catch(sendSoon); // the page says what it is; the other side hears where it stands
    }
    following = false;
    if (watched) return;
    watched = true;
    watch(sendSoon);
    sendSoon();
  }

  function send() {
    timer = 0;
    if (over) return;
    if (following) return sendSoon(); // it is between two moments
    const state = { ...stateNow(), page }, text = inOrder(state);
    if (text === agreed) return;
    agreed = text;
    port.postMessage({ seen, state: JSON.stringify(state), moment: player.api.moment(), weights: player.api.weights() });
  }

  function sendSoon() { if (!over) timer ||= setTimeout(send, TOLD_EVERY); }

  port.onmessage = ({ data }) => {
    over = data === null;
    wanted = data;
    follow();
  };
  port.postMessage({ page });
}
