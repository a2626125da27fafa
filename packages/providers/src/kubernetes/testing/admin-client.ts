import { Agent, request } from 'undici';
import { z } from 'zod';

interface Answer {
  status: number;
  body: Json;
}

/** An object of the API, for tests that make and look at them freely. */
export type Json = Record<string, unknown>;
const jsonSchema = z.record(z.string(), z.unknown());

interface Where {
  server: string;
  /** PEM of the authority. */
  ca: string;
  token: string;
}

/** Plain calls to an API server as somebody with a token; the opposite of the code under test. */
export class AdminClient {
  readonly #where: Where;
  readonly #agent: Agent;

  constructor(where: Where) {
    this.#where = where;
    this.#agent = new Agent({ connect: { ca: where.ca } });
  }

  async request(method: string, path: string, body?: Json): Promise<Answer> {
    const { server, token } = this.#where;
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const answer = await request(`${server}${path}`, {
      method: method === 'PATCH' ? 'PATCH' : method === 'POST' ? 'POST' : readOrDelete(method),
      dispatcher: this.#agent,
      headers: { authorization: `Bearer ${token}`, 'content-type': type },
      body: body === undefined ? null : JSON.stringify(body),
    });
    return { status: answer.statusCode, body: jsonSchema.parse(await answer.body.json()) };
  }

  /** The answer's body; throws with the server's own words when it refuses. */
  async ok(method: string, path: string, body?: Json): Promise<Json> {
    const answer = await this.request(method, path, body);
    if (answer.status < 300) return answer.body;
    throw new Error(`${method} ${path}: ${answer.status} ${String(answer.body.message)}`);
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

function readOrDelete(method: string): 'GET' | 'DELETE' {
  return method === 'DELETE' ? 'DELETE' : 'GET';
}
