/** A command of the protocol, with all that its environment and its input hold. */
export type Command =
  | { name: 'CreateInstance'; poolId: string; extraSpecs: unknown; input: string }
  | {
      name: 'GetInstance' | 'DeleteInstance';
      instance: string;
      poolId: string;
      extraSpecs: unknown;
    }
  | { name: 'ListInstances'; poolId: string; extraSpecs: unknown };

interface Surroundings {
  controllerId: string;
  configFile: string;
  interfaceVersion: 'v0.1.0' | 'v0.1.1';
  /** Variables of the service that the executable may see. */
  inherited: Readonly<Record<string, string>>;
}

/** The whole environment of a command: what the protocol names, what was allowed, nothing else. */
export function commandEnvironment(
  command: Command,
  { controllerId, configFile, interfaceVersion, inherited }: Surroundings,
): Record<string, string> {
  const always = {
    ...inherited,
    GARM_COMMAND: command.name,
    GARM_CONTROLLER_ID: controllerId,
    GARM_PROVIDER_CONFIG_FILE: configFile,
    GARM_INTERFACE_VERSION: interfaceVersion,
  };
  const instance = 'instance' in command ? { GARM_INSTANCE_ID: command.instance } : {};
  const pool = { GARM_POOL_ID: command.poolId };
  if (interfaceVersion === 'v0.1.0') {
    return { ...always, ...('instance' in command ? instance : pool) };
  }
  const specs = JSON.stringify(command.extraSpecs ?? null);
  const extra = { GARM_POOL_EXTRASPECS: Buffer.from(specs).toString('base64') };
  return { ...always, ...instance, ...pool, ...extra };
}

const proxyPrefixes = ['http_proxy', 'https_proxy', 'no_proxy'];

/** The variables of the service whose names start so; those of the protocol itself never. */
export function inheritedEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  prefixes: readonly string[],
): Record<string, string> {
  const allowed = [
    ...prefixes,
    ...proxyPrefixes,
    ...proxyPrefixes.map((name) => name.toUpperCase()),
  ];
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || name.startsWith('GARM')) continue;
    if (allowed.some((prefix) => name.startsWith(prefix))) found[name] = value;
  }
  return found;
}
