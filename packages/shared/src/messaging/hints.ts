import { type HintTopic, hintSubject } from '../contracts/index.ts';
import type { Nats } from './connect.ts';

/**
 * Hints wake a periodic pass early. They travel by core NATS, so they can be lost, and nothing may
 * depend on one: whoever is woken reads the records and decides from those.
 */
export class Hints {
  readonly #nats: Nats;

  constructor(nats: Nats) {
    this.#nats = nats;
  }

  /** `about` is a scale set's id, or for `member` a listener's identity. */
  send(topic: HintTopic, about: string): void {
    if (!this.#nats.connection.isClosed()) {
      this.#nats.connection.publish(hintSubject(topic, about));
    }
  }

  /** Calls `onHint` with what each hint is about, until the connection closes. */
  subscribe(topic: HintTopic, onHint: (about: string) => void): void {
    this.#nats.connection.subscribe(hintSubject(topic, '*'), {
      callback: (error, message) => {
        if (!error) onHint(message.subject.slice(message.subject.lastIndexOf('.') + 1));
      },
    });
  }
}
