import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { errorText } from '@baton/shared/errors';
import { z } from 'zod';
import { TraceFile } from './trace-file.ts';

interface Answer {
  status: number;
  body: object;
}

interface ReceiverOptions {
  say: (text: string) => void;
  /** Given each request that it takes. */
  passOn?: (request: object) => void;
}

const requestSchema = z.looseObject({ resourceSpans: z.array(z.unknown()) });
/** An exporter sends some hundred spans at once, of less than 1 KiB each. */
const mostLength = 16 * 1024 * 1024;

/**
 * Takes traces over OTLP/HTTP in JSON, on the loopback interface, and writes them to a file. What it cannot
 * write it refuses, and says so once: traces never hold up what is traced.
 */
export class TraceReceiver implements AsyncDisposable {
  readonly #server: Server;
  readonly #file: TraceFile;
  readonly #say: (text: string) => void;
  readonly #passOn: (request: object) => void;
  #hasTold = false;

  private constructor(server: Server, file: TraceFile, { say, passOn }: ReceiverOptions) {
    this.#server = server;
    this.#file = file;
    this.#say = say;
    this.#passOn = passOn ?? (() => undefined);
    server.on('request', (request, response) => void this.#answer(request, response));
  }

  /** @throws ConfigError when the file cannot be written. */
  static async start(path: string, options: ReceiverOptions): Promise<TraceReceiver> {
    const file = await TraceFile.create(path);
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TraceReceiver(server, file, options);
  }

  /** Where traces are sent. */
  get url(): string {
    const address = this.#server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    return `http://127.0.0.1:${port ?? 0}/v1/traces`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, body } = await this.#receive(request).catch((error: unknown) =>
      this.#refuse(500, errorText(error)),
    );
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
    // Read to its end, and thrown away: who is cut off while he sends does not see the answer.
    request.resume();
  }

  async #receive(request: IncomingMessage): Promise<Answer> {
    const { method, url, headers } = request;
    if (method !== 'POST' || url !== '/v1/traces') return { status: 404, body: {} };
    if (headers['content-type'] !== 'application/json' || headers['content-encoding']) {
      return this.#refuse(415, 'only OTLP in plain JSON is taken');
    }
    const text = await readText(request);
    if (text === undefined) return this.#refuse(413, `more than ${mostLength} characters at once`);
    const traces = requestSchema.safeParse(parseJson(text));
    if (!traces.success) return this.#refuse(400, 'no traces');
    this.#passOn(traces.data);
    const isWritten = await this.#file.append(traces.data);
    return isWritten ? { status: 200, body: {} } : this.#refuse(507, 'the file is full');
  }

  #refuse(status: number, message: string): Answer {
    if (!this.#hasTold) this.#say(`traces are missing in the file: ${message}`);
    this.#hasTold = true;
    return { status, body: { message } };
  }

  /** May be called twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await this.#file[Symbol.asyncDispose]();
  }
}

/** Undefined for what is too long: the rest of it is not kept. */
async function readText(request: IncomingMessage): Promise<string | undefined> {
  let text = '';
  request.setEncoding('utf8');
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (text.length > mostLength) return undefined;
  }
  return text;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
