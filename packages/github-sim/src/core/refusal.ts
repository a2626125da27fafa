const runtime = 'GitHub.Actions.Runtime.WebApi';
const task = 'GitHub.DistributedTask.WebApi';

/** A request that the simulator answers with an error, as GitHub would. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: string;
  readonly contentType: string;

  constructor(status: number, body: Record<string, unknown> | string) {
    super(`refused with ${status}`);
    this.name = 'Refusal';
    this.status = status;
    this.body = typeof body === 'string' ? body : JSON.stringify(body);
    this.contentType = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json';
  }
}

/** An error in the shape of the Actions service. */
function serviceError(status: number, typeName: string, message: string): Refusal {
  return new Refusal(status, {
    $id: '1',
    innerException: null,
    message,
    typeName,
    typeKey: typeName.split('.').at(-1),
    errorCode: 0,
    eventId: 3000,
  });
}

export const refusals = {
  badCredentials: () => new Refusal(401, { message: 'Bad credentials', status: '401' }),
  forbidden: (message: string) => new Refusal(403, { message, status: '403' }),
  restNotFound: () => new Refusal(404, { message: 'Not Found', status: '404' }),
  badRequest: (message: string) => serviceError(400, `${runtime}.BadRequestException`, message),
  unsupportedMediaType: () =>
    serviceError(415, `${runtime}.UnsupportedMediaTypeException`, 'Send application/json.'),
  noApiVersion: () =>
    serviceError(
      400,
      'Microsoft.VisualStudio.Services.WebApi.VssVersionNotSpecifiedException',
      'No api-version was supplied for the request.',
    ),
  invalidToken: () =>
    serviceError(
      401,
      'GitHub.Services.Security.InvalidTokenException',
      'The token is invalid or has expired.',
    ),
  pageNotFound: () => new Refusal(404, '404 page not found'),
  groupNotFound: (id: number) =>
    serviceError(404, `${runtime}.RunnerGroupNotFoundException`, `No runner group ${id}.`),
  scaleSetNotFound: (id: string | number) =>
    serviceError(
      404,
      `${runtime}.RunnerScaleSetNotFoundException`,
      `No runner scale set found with identifier ${id}.`,
    ),
  scaleSetExists: (name: string) =>
    serviceError(
      400,
      `${runtime}.RunnerScaleSetExistsException`,
      `A runner scale set with name ${name} already exists.`,
    ),
  sessionConflict: (name: string, owner: string) =>
    serviceError(
      409,
      `${runtime}.RunnerScaleSetSessionConflictException`,
      `The actions runner scaleset ${name} already has an active session for owner ${owner}.`,
    ),
  sessionConflictWithoutType: (name: string) =>
    new Refusal(409, {
      message: `The actions runner scaleset ${name} already has an active session.`,
    }),
  sessionExpired: (id: string) =>
    serviceError(
      400,
      `${runtime}.RunnerScaleSetSessionExpiredException`,
      `The session identifier ${id} is not valid.`,
    ),
  sessionNotFound: (id: string) =>
    serviceError(
      404,
      `${runtime}.RunnerAdminException`,
      `The request used session ID ${id} that doesn't exist in redis.`,
    ),
  messageNotFound: (id: string) =>
    serviceError(404, `${runtime}.MessageNotFoundException`, `No message ${id}.`),
  runnerExists: (name: string) =>
    serviceError(
      409,
      `${task}.AgentExistsException`,
      `Already exists: a runner with the name ${name}.`,
    ),
  runnerNotFound: (id: string) =>
    serviceError(404, `${task}.AgentNotFoundException`, `No runner found with id ${id}.`),
  jobStillRunning: (name: string) =>
    serviceError(
      400,
      `${task}.JobStillRunningException`,
      `Runner ${name} is currently running a job and cannot be deleted.`,
    ),
};
