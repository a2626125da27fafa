import type { Nats } from './connect.ts';

/** How often it is tried, and the pause between two tries, in ms. */
const attempts = 8;
const pauseMs = 500;

/**
 * Does what a process needs at its start and may do twice: NATS that goes away for some seconds meanwhile is no
 * reason for it to end. Throws what was thrown last, at once when that is final or the connection was closed.
 */
export async function patiently<T>(
  nats: Pick<Nats, 'connection' | 'clock'>,
  act: () => Promise<T>,
  isFinal: (error: unknown) => boolean,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await act();
    } catch (error) {
      if (attempt >= attempts || isFinal(error) || nats.connection.isClosed()) throw error;
    }
    await nats.clock.sleep(pauseMs);
  }
}
