/** One protocol line of NATS, with its payload when it has one, exactly as it was sent. */
export interface Frame {
  verb: string;
  /** Of PUB, HPUB, MSG and HMSG. */
  subject: string | undefined;
  /** Where the answer goes, when one is asked for. */
  reply: string | undefined;
  bytes: Buffer;
}

const newline = Buffer.from('\r\n');

/** How many words follow the verb with and without a reply subject; the last is the payload's size. */
const payloadVerbs = new Map([
  ['PUB', { replyAt: 2, words: 3 }],
  ['HPUB', { replyAt: 2, words: 4 }],
  ['MSG', { replyAt: 3, words: 4 }],
  ['HMSG', { replyAt: 3, words: 5 }],
]);

/** Cuts one direction of a NATS connection into its frames, however the bytes arrive. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** The frames that are complete with this chunk, in their order. */
  read(chunk: Buffer): Frame[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const frames: Frame[] = [];
    for (let frame = this.#next(); frame; frame = this.#next()) {
      frames.push(frame);
      this.#rest = this.#rest.subarray(frame.bytes.length);
    }
    return frames;
  }

  #next(): Frame | undefined {
    const lineEnd = this.#rest.indexOf(newline);
    if (lineEnd < 0) return undefined;
    const { payload, ...head } = readLine(this.#rest.toString('latin1', 0, lineEnd));
    const body = payload === undefined ? 0 : payload + newline.length;
    const length = lineEnd + newline.length + body;
    if (this.#rest.length < length) return undefined;
    return { ...head, bytes: this.#rest.subarray(0, length) };
  }
}

function readLine(line: string): Omit<Frame, 'bytes'> & { payload?: number } {
  const [name = '', ...rest] = line.split(/\s+/).filter((word) => word !== '');
  const verb = name.toUpperCase();
  const form = payloadVerbs.get(verb);
  if (!form) return { verb, subject: undefined, reply: undefined };
  const payload = Number(rest.at(-1));
  const short = form.words - 1;
  const known = rest.length === form.words || rest.length === short;
  if (!known || !Number.isSafeInteger(payload)) throw new Error(`not a line of NATS: ${line}`);
  const reply = rest.length === form.words ? rest[form.replyAt - 1] : undefined;
  return { verb, subject: rest[0], reply, payload };
}
