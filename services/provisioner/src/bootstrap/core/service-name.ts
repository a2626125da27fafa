/** The name of a runner's service, as the runner's own scripts form it: for its owner, then its repository. */
export function serviceName(repoUrl: string): string {
  const parts = new URL(repoUrl).pathname.split('/').filter(Boolean);
  const owners = parts[0] === 'enterprises' ? parts.slice(1) : parts;
  return ['actions.runner', ...owners].join('.').replace(/[^A-Za-z0-9._-]/g, '-');
}

const userName = /^[a-z_][a-z0-9_-]{0,31}$/;

/** A systemd unit that runs the runner once as this user; undefined for what is no user name. */
export function unitFile(runnerName: string, user: string): string | undefined {
  if (!userName.test(user)) return undefined;
  const home = user === 'root' ? '/root' : `/home/${user}`;
  return `[Unit]
Description=GitHub Actions runner ${runnerName}
Wants=network-online.target
After=network-online.target

[Service]
User=${user}
WorkingDirectory=${home}/actions-runner
ExecStart=${home}/actions-runner/runsvc.sh
KillMode=process
KillSignal=SIGTERM
TimeoutStopSec=5min

[Install]
WantedBy=multi-user.target
`;
}
