import { delimiter, dirname } from 'node:path';
import { root } from './paths.mjs';

/**
 * Our environment for what we start: our Node first on the PATH, and without what `npm start` says
 * of itself (`npm_package_…`, `npm_lifecycle_…`), which would tell pnpm about the wrong project.
 */
export function environment({ node, natsServer }) {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^npm_(package|lifecycle|command|node|execpath|config_local)/.test(name),
  );
  return {
    ...Object.fromEntries(kept),
    PATH: [dirname(node), process.env.PATH].filter(Boolean).join(delimiter),
    NODE_COMPILE_CACHE: `${root}/node_modules/.cache/baton`,
    ...(natsServer ? { NATS_SERVER_BIN: natsServer } : {}),
  };
}
