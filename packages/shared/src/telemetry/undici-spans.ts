import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { activeSpan } from './otel-context.ts';

/** GitHub's message queue is asked with this header, and holds the call for up to 50 s. */
const pollHeader = 'x-scalesetmaxcapacity';

/**
 * A span for each HTTP call that belongs to a span of ours which is sampled: of any other, the step that
 * made the call tells when it fails, and nothing is spent on the call. Not for a poll: most bring
 * nothing, and one that does has a span already. What a query says is left out: it may be a
 * signature. The calls themselves carry no trace: those who answer are not part of this system.
 */
export function undiciSpans(): UndiciInstrumentation {
  return new UndiciInstrumentation({
    requireParentforSpans: true,
    ignoreRequestHook: ({ headers }) => !activeSpan()?.sampled || headers.includes(pollHeader),
    startSpanHook: ({ origin, path }) => ({
      'url.full': `${origin}${path.split('?', 1)[0]}`,
      'url.query': '',
    }),
  });
}
