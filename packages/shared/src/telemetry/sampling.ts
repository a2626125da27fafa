/** What `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` say. */
export interface Sampling {
  /** Follow the parent where there is one. */
  parentBased: boolean;
  /** Share of the others, 0 to 1. */
  ratio: number;
}

/** 52 of the 56 bits of a trace id that are random: as many as a number holds exactly. */
const range = 2 ** 52;

/**
 * Whether a trace is told. Pure: of the spans of one trace, whoever makes them decides alike. By the
 * last 56 bits of its id, the highest being told, as the specification of OpenTelemetry has it; so
 * what is told at a lower ratio is told at each higher one.
 */
export function decideSampling(
  { parentBased, ratio }: Sampling,
  traceId: string,
  parent?: { sampled: boolean },
): boolean {
  if (parentBased && parent) return parent.sampled;
  const random = Number.parseInt(traceId.slice(18, 31), 16);
  return random >= Math.round((1 - ratio) * range);
}
