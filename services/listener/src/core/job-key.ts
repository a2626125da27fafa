/** Tells jobs apart: the request id alone is "0" for every job on github.com (measured). */
export function jobKey(job: { jobId: string; runnerRequestId: string }): string {
  return job.jobId || `request-${job.runnerRequestId}`;
}
