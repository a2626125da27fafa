import { type FileHandle, open } from 'node:fs/promises';
import { ConfigError, errorText } from '@baton/shared/errors';

/** What every line begins with. */
const firstBytes = '{"resourceSpans"';
/** A run without end must not fill the disk, nor what reads the file its memory. */
const defaultMostBytes = 128 * 1024 * 1024;

/** A file of traces as OpenTelemetry's file exporter writes it: a request in OTLP's JSON on each line. */
export class TraceFile implements AsyncDisposable {
  readonly #handle: FileHandle;
  readonly #mostBytes: number;
  #bytes = 0;
  #writing: Promise<void> = Promise.resolve();

  private constructor(handle: FileHandle, mostBytes: number) {
    this.#handle = handle;
    this.#mostBytes = mostBytes;
  }

  /**
   * Replaces the traces of an earlier run.
   * @throws ConfigError when it cannot be written, or holds something else.
   */
  static async create(path: string, mostBytes = defaultMostBytes): Promise<TraceFile> {
    try {
      await using undo = new AsyncDisposableStack();
      const handle = undo.use(await open(path, 'a+'));
      await requireTraces(path, handle);
      await handle.truncate();
      undo.move();
      return new TraceFile(handle, mostBytes);
    } catch (cause) {
      if (cause instanceof ConfigError) throw cause;
      throw new ConfigError(`--trace: ${errorText(cause)}`, { cause });
    }
  }

  /** False when the file is full. Rejects when it cannot be written. */
  async append(request: object): Promise<boolean> {
    const line = `${JSON.stringify(request)}\n`;
    this.#bytes += Buffer.byteLength(line);
    if (this.#bytes > this.#mostBytes) return false;
    // One after another: writes side by side may mix.
    const writing = this.#writing.then(() => this.#handle.appendFile(line));
    this.#writing = writing.catch(() => undefined);
    await writing;
    return true;
  }

  /** May be called twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
    await this.#handle.close();
  }
}

async function requireTraces(path: string, handle: FileHandle): Promise<void> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(firstBytes.length), 0, null, 0);
  if (bytesRead === 0 || buffer.toString() === firstBytes) return;
  throw new ConfigError(`--trace: ${path} is there and holds no traces: name another file`);
}
