/** What kind of message a subject carries. */
interface MessageType {
  /** `demand.changed`, `create`, `dead-letter`: of few. */
  name: string;
  /** The subject without what varies. */
  template: string;
}

/** Pure. */
export function messageType(subject: string): MessageType {
  const [, , what = '', ...rest] = subject.split('.');
  if (what === 'event') {
    const [source = '', , entity = '', fact = ''] = rest;
    return { name: `${entity}.${fact}`, template: `baton.v1.event.${source}.*.${entity}.${fact}` };
  }
  if (what === 'command') {
    const [verb = ''] = rest;
    return { name: verb, template: `baton.v1.command.${verb}.*` };
  }
  return what === 'dead'
    ? { name: 'dead-letter', template: 'baton.v1.dead.*.*' }
    : { name: what, template: `baton.v1.${what}.*` };
}
