// What lies packed in the page.

/** The bytes that lie packed in an element of the page. */
async function bytesOf(id) {
  if (!globalThis.DecompressionStream) throw new Error("This browser is too old for this page: open it in a newer one.");
  try {
    const packed = Uint8Array.from(atob(document.getElementById(id).textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch {
    throw new Error(`This page is damaged: its part "${id}" cannot be read. Get the file again.`);
  }
}

const textOf = async (id) => new TextDecoder().decode(await bytesOf(id));

const jsonOf = async (id) => JSON.parse(await textOf(id));
