export { lifeSummary, lifeView } from './life-view.ts';
export { readTraceFile } from './read-trace-file.ts';
export { renderList, renderLives, renderSteps } from './render-lives.ts';
export { findLives, type RunnerLife, slowest } from './runner-lives.ts';
export { SpanIndex } from './span-index.ts';
export { stepTimes } from './step-times.ts';
