import {
  type ConditionType,
  eventSubject,
  type Plan,
  plannedConditionTypes,
  type ScaleSetEvent,
} from '@baton/shared/contracts';
import type { Publisher } from '@baton/shared/messaging';
import { gauge, type Logger, type NumberSource } from '@baton/shared/telemetry';
import { type Clock, isoNow } from '@baton/shared/time';

interface EventDeps {
  publisher: Publisher;
  clock: Clock;
  log: Logger;
  instance: string;
}

/**
 * Tells of conditions that provisioners set: an event for each that begins or ends, best effort, and a
 * gauge of those that hold. Never throws, and nobody waits for it; the plan is what counts. Who wrote
 * the plan with the change tells it, so it is told once.
 */
export class ConditionEvents {
  readonly #deps: EventDeps;
  /** The conditions that hold, by scale set, as this process planned it last. */
  readonly #holding = new Map<string, ReadonlySet<string>>();
  readonly gauge: NumberSource;

  constructor(deps: EventDeps) {
    this.#deps = { ...deps, log: deps.log.child({ component: 'plan' }) };
    this.gauge = gauge(
      'baton_scale_set_condition',
      '1 while something is wrong with a scale set.',
      () =>
        [...this.#holding].flatMap(([scaleSetId, holding]) =>
          plannedConditionTypes.map((condition) => ({
            value: holding.has(condition) ? 1 : 0,
            labels: { scale_set: scaleSetId, condition },
          })),
        ),
    );
  }

  /** What was planned last. */
  known({ scaleSetId, conditions = [] }: Plan): void {
    this.#holding.set(scaleSetId, new Set(conditions.map(({ type }) => type)));
  }

  /** The scale set is not there any more. */
  forget(scaleSetId: string): void {
    this.#holding.delete(scaleSetId);
  }

  /** A plan was written in which these conditions changed. */
  changed(
    { scaleSetId, demand }: Plan,
    changes: readonly { condition: ConditionType; text?: string }[],
  ): void {
    const { publisher, clock, log, instance } = this.#deps;
    for (const { condition, text } of changes) {
      if (text === undefined) log.info({ scaleSetId, condition }, 'condition ended');
      else log.warn({ scaleSetId, condition, text }, 'condition');
      const event: ScaleSetEvent = {
        v: 1,
        type: 'condition.changed',
        scaleSetId,
        at: isoNow(clock),
        by: `provisioner ${instance}`,
        epoch: demand?.epoch ?? 0,
        condition,
        ...(text === undefined ? {} : { text }),
      };
      const subject = eventSubject('provisioner', scaleSetId, 'condition', 'changed');
      const messageId = `condition-${scaleSetId}-${condition}-${event.at}-${text === undefined ? 'ended' : 'began'}`;
      void publisher.publishOnce(subject, event, { messageId }).catch((err: unknown) => {
        log.debug({ scaleSetId, condition, err }, 'event could not be published');
      });
    }
  }
}
