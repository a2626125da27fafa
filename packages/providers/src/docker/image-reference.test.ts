import { describe, expect, test } from 'vitest';
import { imageSchema, matchesPattern, parseImageReference } from './image-reference.ts';

const digest = `sha256:${'0'.repeat(64)}`;

describe('parseImageReference', () => {
  test.each([
    ['busybox', 'docker.io', 'busybox', 'latest'],
    ['acme/runner:2', 'docker.io', 'acme/runner', '2'],
    ['ghcr.io/acme/runner', 'ghcr.io', 'ghcr.io/acme/runner', 'latest'],
    ['localhost/runner:1', 'localhost', 'localhost/runner', '1'],
    ['127.0.0.1:5000/a/b:1.2', '127.0.0.1:5000', '127.0.0.1:5000/a/b', '1.2'],
    [`ghcr.io/acme/runner@${digest}`, 'ghcr.io', 'ghcr.io/acme/runner', digest],
    [`ghcr.io/acme/runner:2@${digest}`, 'ghcr.io', 'ghcr.io/acme/runner', digest],
  ])('%s', (image, registry, name, version) => {
    expect(imageSchema.safeParse(image).success).toBe(true);
    expect(parseImageReference(image)).toEqual({ registry, name, version });
  });

  test.each([
    '',
    ' busybox',
    'a/../b',
    'a//b',
    'a b',
    'a?b',
    'a:b:c',
    '/a',
    'a@sha256:12',
    'a/b#c',
  ])('%j is no image', (image) => {
    expect(imageSchema.safeParse(image).success).toBe(false);
  });
});

describe('matchesPattern', () => {
  test.each([
    ['acme/runner:1', 'acme/runner:1', true],
    ['acme/runner:1', 'acme/*', true],
    ['acme/tools/runner:1', 'acme/*', false],
    ['acme/tools/runner:1', 'acme/*/*', true],
    ['ghcr.io/acme/runner:1', 'ghcr.io/acme/*:1', true],
    ['ghcrxio/acme/runner:1', 'ghcr.io/acme/*', false],
    ['evil/acme/runner', 'acme/*', false],
    ['acme/runner:11', 'acme/runner:1', false],
  ])('%s fits %s: %s', (image, pattern, fits) => {
    expect(matchesPattern(image, pattern)).toBe(fits);
  });
});
