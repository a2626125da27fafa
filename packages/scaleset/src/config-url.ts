import { ConfigError } from '@baton/shared/errors';

/** Where scale sets are registered: an organization, a repository or an enterprise of one server. */
export interface ConfigUrl {
  scope: 'organization' | 'repository' | 'enterprise';
  /** `[organization]`, `[owner, repository]` or `[enterprise]`. */
  names: readonly string[];
  /** Host, with its port when that is not the default one. `www.github.com` reads `github.com`. */
  host: string;
  /** Base of the REST API, without a slash at its end. */
  restBaseUrl: string;
  /** Path of the registration-token call under `restBaseUrl`. */
  registrationTokenPath: string;
  /** The URL as it is sent to GitHub: no slash at its end. */
  url: string;
}

const namePattern = /^[A-Za-z0-9_.-]+$/;
const examples =
  'use https://github.com/ORG, https://github.com/OWNER/REPO or https://github.com/enterprises/NAME';

/**
 * Reads a `githubConfigUrl`. Pure. Throws `ConfigError` for anything that is not one of the three
 * scopes. Hosts as in actions/scaleset: github.com, github.localhost and *.ghe.com have their API
 * at `api.{host}`, every other host is an Enterprise Server with its API at `/api/v3`.
 */
export function parseConfigUrl(text: string): ConfigUrl {
  const url = parseUrl(text);
  const host = url.host === 'www.github.com' ? 'github.com' : url.host;
  const hosted = isHosted(url.hostname);
  if (hosted && url.protocol !== 'https:' && url.hostname !== 'github.localhost') {
    throw new ConfigError(`githubConfigUrl "${text}" would send tokens unencrypted: use https.`);
  }
  const path = url.pathname.replace(/\/+$/, '');
  return {
    ...readScope(path.split('/').slice(1), text),
    host,
    restBaseUrl: hosted ? `${url.protocol}//api.${host}` : `${url.protocol}//${host}/api/v3`,
    url: `${url.origin}${path}`,
  };
}

/** "organization acme", for messages. */
export function describeScope({ scope, names }: ConfigUrl): string {
  return `${scope} ${names.join('/')}`;
}

function parseUrl(text: string): URL {
  const url = URL.parse(text.trim());
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    throw new ConfigError(`githubConfigUrl is not an http(s) URL: ${examples}.`);
  }
  // The text is not quoted here: what has to be removed may be a password.
  if (url.username || url.password || url.search || url.hash) {
    throw new ConfigError(
      `githubConfigUrl for ${url.host} must not carry credentials, a query or a fragment: remove them.`,
    );
  }
  return url;
}

function isHosted(hostname: string): boolean {
  return (
    ['github.com', 'www.github.com', 'github.localhost'].includes(hostname) ||
    hostname.endsWith('.ghe.com')
  );
}

function readScope(
  segments: readonly string[],
  text: string,
): Pick<ConfigUrl, 'scope' | 'names' | 'registrationTokenPath'> {
  const [first, second] = segments;
  const suffix = 'actions/runners/registration-token';
  const known = segments.length <= 2 && segments.every((segment) => namePattern.test(segment));
  if (
    !known ||
    first === undefined ||
    first === 'orgs' ||
    (first === 'enterprises' && second === undefined)
  ) {
    throw new ConfigError(
      `githubConfigUrl "${text}" names no organization, repository or enterprise: ${examples}.`,
    );
  }
  if (second === undefined) {
    return {
      scope: 'organization',
      names: [first],
      registrationTokenPath: `/orgs/${first}/${suffix}`,
    };
  }
  if (first === 'enterprises') {
    return {
      scope: 'enterprise',
      names: [second],
      registrationTokenPath: `/enterprises/${second}/${suffix}`,
    };
  }
  return {
    scope: 'repository',
    names: [first, second],
    registrationTokenPath: `/repos/${first}/${second}/${suffix}`,
  };
}
