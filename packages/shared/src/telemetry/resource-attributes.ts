import type { TelemetryConfig } from '../config/index.ts';
import { buildVersion } from './build-version.ts';

interface ProcessIdentity {
  /** Such as `listener`. */
  service: string;
  /** `BATON_INSTANCE`. */
  instance: string;
  /** `BATON_INSTALLATION_ID`. */
  installationId: string;
  version: string;
  pid: number;
}

/** What all telemetry of a process says of its origin. What the operator says goes before it. Pure. */
export function resourceAttributes(
  process: ProcessIdentity,
  { otelResource, otelServiceName }: Pick<TelemetryConfig, 'otelResource' | 'otelServiceName'>,
): Record<string, string | number> {
  return {
    'service.namespace': 'baton',
    'service.name': `baton-${process.service}`,
    'service.instance.id': process.instance,
    'service.version': process.version,
    'process.pid': process.pid,
    'baton.installation.id': process.installationId,
    ...otelResource,
    ...(otelServiceName === undefined ? {} : { 'service.name': otelServiceName }),
  };
}

/** What this process says of itself. */
export function ownResource(
  service: string,
  config: TelemetryConfig & Pick<ProcessIdentity, 'instance' | 'installationId'>,
): Record<string, string | number> {
  const { instance, installationId } = config;
  const version = buildVersion();
  return resourceAttributes(
    { service, instance, installationId, version, pid: process.pid },
    config,
  );
}
