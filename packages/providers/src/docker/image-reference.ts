import { z } from 'zod';

/** A name as `docker pull` takes it: `[registry/]repository[:tag][@digest]`. */
export const imageSchema = z
  .string()
  .max(512)
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]*(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?$/,
    'is not the name of an image',
  );

interface ImageReference {
  /** `docker.io` when the name has none. */
  registry: string;
  /** What `fromImage` takes: all but tag and digest. */
  name: string;
  /** Digest, else tag, else `latest`: a pull without one would fetch every tag. */
  version: string;
}

/** Takes a name apart that `imageSchema` has accepted. */
export function parseImageReference(image: string): ImageReference {
  const [tagged = image, digest] = image.split('@');
  const colon = tagged.indexOf(':', tagged.lastIndexOf('/') + 1);
  const name = colon < 0 ? tagged : tagged.slice(0, colon);
  const tag = colon < 0 ? 'latest' : tagged.slice(colon + 1);
  const [first = '', ...rest] = name.split('/');
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  return { registry: isHost ? first : 'docker.io', name, version: digest ?? tag };
}

/** Whether the whole image name fits the pattern, in which `*` stands for anything but a slash. */
export function matchesPattern(image: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^/]*')}$`).test(image);
}
