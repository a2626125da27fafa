import type { Clock } from '@baton/shared/time';
import type { Reply, Route } from './exchange.ts';

const limit = 15_000;
const periodMs = 3_600_000;

/**
 * These routes with what GitHub says of the primary rate limit in every answer of its REST API, one for
 * all credentials. Nobody is refused for it: that is played with faults.
 */
export function tellingRateLimit(routes: readonly Route[], clock: Clock): Route[] {
  let used = 0;
  let resetsAtMs = 0;
  const headers = () => {
    if (clock.now() >= resetsAtMs) {
      used = 0;
      resetsAtMs = clock.now() + periodMs;
    }
    used += 1;
    return {
      'x-ratelimit-limit': String(limit),
      'x-ratelimit-remaining': String(Math.max(0, limit - used)),
      'x-ratelimit-reset': String(Math.ceil(resetsAtMs / 1_000)),
    };
  };
  return routes.map((route) => ({
    ...route,
    handle: async (request): Promise<Reply> => {
      const reply = await route.handle(request);
      return { ...reply, headers: { ...reply.headers, ...headers() } };
    },
  }));
}
