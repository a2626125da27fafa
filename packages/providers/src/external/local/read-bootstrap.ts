import { z } from 'zod';

const base64Json = z.base64();

/** Every key that the protocol has, and no other. */
const bootstrapSchema = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/),
  tools: z.array(
    z.strictObject({
      os: z.enum(['linux', 'win', 'osx']),
      architecture: z.enum(['x64', 'arm', 'arm64']),
      download_url: z.string(),
      filename: z.string(),
      sha256_checksum: z.string(),
    }),
  ),
  repo_url: z.url(),
  'callback-url': z.url(),
  'metadata-url': z.url(),
  'instance-token': z.string().min(1),
  'ssh-keys': z.array(z.string()),
  extra_specs: z.looseObject({ runner_install_template: base64Json }),
  'github-runner-group': z.string(),
  'ca-cert-bundle': z.base64().nullable(),
  arch: z.enum(['amd64', 'i386', 'arm64', 'arm']),
  os_type: z.literal('linux'),
  flavor: z.string().min(1),
  image: z.string().min(1),
  labels: z.null(),
  pool_id: z.uuid(),
  user_data_options: z.strictObject({
    disable_updates_on_boot: z.boolean(),
    extra_packages: z.array(z.string()),
    enable_boot_debug: z.literal(false),
  }),
  jit_config_enabled: z.literal(true),
  proxy_config: z.strictObject({
    http_proxy: z.string(),
    https_proxy: z.string(),
    no_proxy: z.string(),
  }),
});
type Bootstrap = z.output<typeof bootstrapSchema>;

/** @throws ZodError that says what is not as the protocol has it. */
export function readBootstrap(stdin: string): Bootstrap {
  return bootstrapSchema.parse(JSON.parse(stdin));
}

/** The machine's first program: its template with the fields filled in. */
export function userDataOf(bootstrap: Bootstrap): string {
  const fields: Record<string, string> = {
    MetadataURL: bootstrap['metadata-url'],
    CallbackURL: bootstrap['callback-url'],
    CallbackToken: bootstrap['instance-token'],
  };
  const template = Buffer.from(bootstrap.extra_specs.runner_install_template, 'base64');
  return template.toString('utf8').replace(/\{\{ \.(\w+) \}\}/g, (_all, field: string) => {
    const value = fields[field];
    if (value === undefined) throw new Error(`the template has a field ${field} that is not known`);
    return value;
  });
}
