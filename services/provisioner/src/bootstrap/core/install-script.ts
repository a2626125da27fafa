import type { VaultContents } from '../jit-vault.ts';

interface ScriptOptions extends Pick<VaultContents, 'runnerName' | 'tool' | 'proxy'> {
  metadataUrl: string;
  callbackUrl: string;
  /** The token that asked for the script: it is that of the machine which runs it. */
  token: string;
}

/**
 * The bash script that makes a Linux machine this runner. It holds the token, shows it nowhere, and gives
 * it neither to another program's arguments nor to the runner's environment.
 */
export function installScript(options: ScriptOptions): string {
  const { metadataUrl, callbackUrl, token, runnerName, tool } = options;
  const values = {
    metadata_url: metadataUrl,
    callback_url: callbackUrl,
    token,
    runner_name: runnerName,
    tool_url: tool?.url ?? '',
    tool_sha256: tool?.sha256 ?? '',
  };
  const assignments = Object.entries(values).map(([name, value]) => `${name}=${quoted(value)}`);
  return `#!/bin/bash
set -Eeuo pipefail
${assignments.join('\n')}
root="$HOME/actions-runner"
${functions}
${proxySetup(options.proxy)}${steps}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The runner reads its own proxies from a file beside it. */
function proxySetup({ http, https, noProxy }: VaultContents['proxy']): string {
  const wanted = { http_proxy: http, https_proxy: https, no_proxy: noProxy };
  const lines = Object.entries(wanted).filter(([, value]) => value !== '');
  if (lines.length === 0) return 'proxies=()\n';
  const entries = lines.map(([name, value]) => quoted(`${name}=${value}`));
  return `proxies=(${entries.join(' ')})\nexport "\${proxies[@]}"\n`;
}

const functions = `
call() {
  printf 'header = "Authorization: Bearer %s"\\n' "$token" | curl --config - --silent --show-error \\
    --fail --retry 5 --retry-delay 2 --retry-connrefused --connect-timeout 20 --max-time 120 "$@"
}

# What is said stands in JSON, so nothing in it may end a string.
report() {
  local text
  text="$(printf '%s' "$2" | tr -cd '[:alnum:] .,:;()/_+=-')"
  call --output /dev/null --data "{\\"status\\":\\"$1\\",\\"message\\":\\"$text\\"}" "$callback_url/status"
}

fail() {
  trap - ERR
  echo "baton: $1" >&2
  report failed "$1" || true
  exit 1
}
trap 'fail "the install script failed in line $LINENO"' ERR

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

download_runner() {
  [ -n "$tool_url" ] || fail "the image has no runner in $root, and the provider names no build for it"
  local archive
  archive="$(mktemp)"
  curl --silent --show-error --fail --location --retry 5 --retry-delay 5 --retry-connrefused \\
    --output "$archive" "$tool_url" || fail "the runner could not be downloaded from $tool_url"
  echo "$tool_sha256  $archive" | sha256sum --check --status ||
    fail "what was downloaded from $tool_url has another checksum than the provider says"
  mkdir -p "$root"
  tar -xzf "$archive" -C "$root" || fail "the runner could not be unpacked"
  rm -f "$archive"
  [ ! -x "$root/bin/installdependencies.sh" ] || as_root "$root/bin/installdependencies.sh" ||
    fail "the packages that the runner needs could not be installed"
}

fetch_credentials() {
  local name
  for name in runner credentials credentials_rsaparams; do
    (umask 077 && call --output "$root/.$name" "$metadata_url/credentials/$name") ||
      fail "the credentials of the runner could not be fetched ($name)"
  done
}

report_system() {
  local name version
  name="$(. /etc/os-release && printf '%s' "\${NAME:-}")" || name=''
  version="$(. /etc/os-release && printf '%s' "\${VERSION_ID:-}")" || version=''
  call --output /dev/null --data "{\\"os_name\\":\\"$name\\",\\"os_version\\":\\"$version\\"}" \\
    "$callback_url/system-info" || true
}

start_service() {
  local service unit
  service="$(call "$metadata_url/system/service-name").service"
  unit="$(mktemp)"
  call --output "$unit" "$metadata_url/systemd/unit-file?runAsUser=$(id -un)"
  as_root install -m 0644 "$unit" "/etc/systemd/system/$service"
  rm -f "$unit"
  cp "$root/bin/runsvc.sh" "$root/"
  if [ -e /sys/fs/selinux/enforce ]; then as_root chcon -R -t bin_t "$root"; fi
  as_root systemctl daemon-reload
  as_root systemctl start "$service"
}
`;

const steps = `
report installing "installing the runner" || true
[ -x "$root/run.sh" ] || download_runner
cd "$root"
if [ "\${#proxies[@]}" -gt 0 ]; then printf '%s\\n' "\${proxies[@]}" >>.env; fi
fetch_credentials
report_system
if [ -d /run/systemd/system ] && [ -e bin/runsvc.sh ]; then
  start_service
  report idle "the runner's service was started" || true
else
  report idle "the runner is being started" || true
  trap - ERR
  exec ./run.sh
fi
`;
