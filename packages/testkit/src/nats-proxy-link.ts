import { once } from 'node:events';
import type { Socket } from 'node:net';
import { systemClock } from '@baton/shared/time';
import { type Frame, FrameReader } from './nats-frames.ts';
import type { ProxyState, PublishHook } from './nats-proxy.ts';

interface Lane {
  from: Socket;
  to: Socket;
  /** Called before a frame goes on; false when the connection was cut. */
  look: (frame: Frame) => Promise<boolean>;
}

/** One client's connection through the proxy. */
export class Link {
  /** Resolves when both ends are closed. */
  readonly closed: Promise<void>;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #state: ProxyState;
  /** By reply subject: answers that are to be withheld. */
  readonly #awaited = new Map<string, { hook: PublishHook; subject: string }>();
  #isCut = false;

  constructor(client: Socket, server: Socket, state: ProxyState) {
    this.#client = client;
    this.#server = server;
    this.#state = state;
    this.#carry({ from: client, to: server, look: (frame) => this.#lookAtClient(frame) });
    this.#carry({ from: server, to: client, look: (frame) => this.#lookAtServer(frame) });
    // A refused or reset connection is what the other end is told, not an error of the proxy.
    for (const socket of [client, server]) socket.on('error', () => undefined);
    const ends = [client, server].map((socket) => once(socket, 'close').catch(() => undefined));
    this.closed = Promise.all(ends).then(() => undefined);
  }

  cut(): void {
    this.#isCut = true;
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
  }

  /** Each frame waits for the one before it, and so does the end. */
  #carry({ from, to, look }: Lane): void {
    const reader = new FrameReader();
    let last = Promise.resolve();
    const inTurn = (work: () => Promise<void>) => {
      last = last.then(work).catch((error: unknown) => {
        this.cut();
        throw error;
      });
    };
    from.on('data', (chunk: Buffer) => {
      const arrivedAt = systemClock.monotonic();
      for (const frame of reader.read(chunk)) {
        inTurn(async () => {
          if (await this.#mayPass(arrivedAt, () => look(frame))) to.write(frame.bytes);
        });
      }
    });
    const end = (stop: () => void) => {
      const arrivedAt = systemClock.monotonic();
      inTurn(async () => {
        if (await this.#mayPass(arrivedAt)) stop();
      });
    };
    from.once('end', () => end(() => to.end()));
    from.once('close', () => end(() => to.destroySoon()));
  }

  /** Waits as the mode says, then looks; the partition may begin or end meanwhile. */
  async #mayPass(arrivedAt: number, look?: () => Promise<boolean>): Promise<boolean> {
    const { mode } = this.#state;
    if (mode.kind === 'delay') {
      await systemClock.sleep(Math.max(0, arrivedAt + mode.delayMs - systemClock.monotonic()));
    }
    await this.#untilHealed();
    if (!this.#isCut && look && !(await look())) this.cut();
    await this.#untilHealed();
    return !this.#isCut;
  }

  async #untilHealed(): Promise<void> {
    while (this.#state.mode.kind === 'partition' && !this.#isCut) await this.#state.healed;
  }

  async #lookAtClient({ verb, subject, reply }: Frame): Promise<boolean> {
    if ((verb !== 'PUB' && verb !== 'HPUB') || subject === undefined) return true;
    for (const hook of this.#state.hooks) {
      if (!hook.match(subject)) continue;
      if (hook.when === 'before') return (await hook.hook(subject)) === 'go on';
      if (reply !== undefined) this.#awaited.set(reply, { hook, subject });
    }
    return true;
  }

  async #lookAtServer({ subject }: Frame): Promise<boolean> {
    const awaited = subject === undefined ? undefined : this.#awaited.get(subject);
    if (!awaited || subject === undefined) return true;
    this.#awaited.delete(subject);
    if (!this.#state.hooks.has(awaited.hook)) return true;
    return (await awaited.hook.hook(awaited.subject)) === 'go on';
  }
}
