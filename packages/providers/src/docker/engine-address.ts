import { isAbsolute } from 'node:path';
import { z } from 'zod';

export const absolutePath = z.string().refine(isAbsolute, 'must be an absolute path');

const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** Where the engine's API is. */
export const engineAddressSchema = z.union([
  z.strictObject({ socket: absolutePath }),
  z
    .strictObject({
      url: z.url({ protocol: /^https?$/ }),
      caFile: absolutePath.optional(),
      certFile: absolutePath.optional(),
      keyFile: absolutePath.optional(),
      allowPlainHttp: z.boolean().default(false),
    })
    .superRefine(({ url, caFile, certFile, keyFile, allowPlainHttp }, context) => {
      const { protocol, hostname } = new URL(url);
      const complain = (path: string, message: string) =>
        context.addIssue({ code: 'custom', path: [path], message });
      if ((certFile === undefined) !== (keyFile === undefined))
        complain('certFile', 'certFile and keyFile belong together');
      if (protocol === 'https:') return;
      if (caFile !== undefined || certFile !== undefined)
        complain('url', 'must be https:// with certificates');
      if (!(loopback.test(hostname) || allowPlainHttp))
        complain(
          'url',
          'plain http:// gives the engine to everybody on the way: use https:// with certificates, or set allowPlainHttp',
        );
    }),
]);

export type EngineAddress = z.output<typeof engineAddressSchema>;

/** For people, in messages. */
export function addressText(address: EngineAddress): string {
  return 'socket' in address ? address.socket : address.url;
}

/** Whether only this host reaches the engine, so that another one would be a different engine. */
export function isLocal(address: EngineAddress): boolean {
  return 'socket' in address || loopback.test(new URL(address.url).hostname);
}
