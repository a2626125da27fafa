import { z } from 'zod';

const statusSchema = z.object({
  status: z.enum(['installing', 'idle', 'failed']),
  message: z.string().default(''),
});
const systemInfoSchema = z.object({
  os_name: z.string().default(''),
  os_version: z.string().default(''),
});

/** What an instance says of itself, fit to be shown to people. */
export type InstanceReport = { kind: 'progress' | 'failed'; text: string };

/** Longest text that is kept, in characters. */
const longest = 500;

/** Undefined for what is no status of the protocol. */
export function readStatus(body: unknown): InstanceReport | undefined {
  const { data } = statusSchema.safeParse(body);
  if (!data) return undefined;
  const text = clean(data.message);
  if (data.status === 'failed') return { kind: 'failed', text: text || 'it does not say why' };
  return { kind: 'progress', text: text || data.status };
}

export function readSystemInfo(body: unknown): InstanceReport | undefined {
  const { data } = systemInfoSchema.safeParse(body);
  if (!data) return undefined;
  return { kind: 'progress', text: clean(`runs ${data.os_name} ${data.os_version}`) };
}

/** An instance may send anything; it stands in records and on screens. */
function clean(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}]+/gu, ' ')
    .trim()
    .slice(0, longest);
}
