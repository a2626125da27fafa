import type { Route } from './exchange.ts';

export interface Match {
  route: Route;
  params: Record<string, string>;
}

interface Compiled {
  route: Route;
  segments: string[];
}

/** Finds routes by method and path. Slashes at either end do not count. */
export class Router {
  readonly #byShape = new Map<string, Compiled[]>();

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      const segments = split(route.pattern);
      const shape = `${route.method} ${segments.length}`;
      this.#byShape.set(shape, [...(this.#byShape.get(shape) ?? []), { route, segments }]);
    }
  }

  find(method: string, path: string): Match | undefined {
    const segments = split(path);
    for (const compiled of this.#byShape.get(`${method} ${segments.length}`) ?? []) {
      const params = matchSegments(compiled.segments, segments);
      if (params) return { route: compiled.route, params };
    }
    return undefined;
  }
}

function split(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

function matchSegments(pattern: string[], path: string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const actual = path[index] ?? '';
    if (expected.startsWith(':')) params[expected.slice(1)] = decodeURIComponent(actual);
    else if (expected !== actual) return undefined;
  }
  return params;
}
