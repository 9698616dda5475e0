// What the demo says to somebody who sees it for the first time.
import { createHash, X509Certificate } from 'node:crypto'
import { programAt } from '../../parts/locate.ts'
import { GROUPS, PEOPLE } from '../stage/people.ts'
import type { Stage } from '../stage/stage.ts'
import type { DemoApplication } from './applications.ts'
import { CHOICES } from './choices.ts'

export function guide(stage: Stage, applications: readonly DemoApplication[], seconds: number): string {
  const [first] = applications as readonly [DemoApplication, ...DemoApplication[]]
  const route = `${first.route.kind.toLowerCase()} ${String(first.route.metadata.name)} -n ${first.namespace}`
  const alias = `alias kubectl='${programAt('kubectl')}'`
  return `
Everything runs, after ${Math.round(seconds)} s. Two applications, which nobody protects yet:

${applications.map(({ url, team, namespace }) => `  ${url.padEnd(40)} ${team}, namespace ${namespace}`).join('\n')}

Who can log in; there is no password:

${PEOPLE.map(({ name, groups }) => `  ${name.padEnd(8)} ${groups.map(groupName).join(', ') || 'no group'}`).join('\n')}

In another terminal:

  export KUBECONFIG=${stage.cluster.controlPlane.kubeconfig}
  ${alias}
  kubectl label ${route} auth.example/protect=true      # a login stands in front of it
  kubectl get ${route} -o yaml                          # what that made of the object
  kubectl label ${route} auth.example/access=admins     # alice alone
  kubectl label ${route} auth.example/access- auth.example/protect-   # open again, and the object what it was
  kubectl get authteams

  curl -i --cacert ${stage.ca.file} ${curlAddress(stage)}'${first.url}d/x?a=1&b=2'
  chromium --user-data-dir=$(mktemp -d) ${chromiumFlags(stage)} '${first.url}d/x?a=1&b=2'

Any other browser warns about the certificate: its authority is ${stage.ca.file}.
Other gateways: npm run demo -- --gateway ${Object.keys(CHOICES).join(', ')}
Logs are in ${stage.logs}. Ctrl-C takes everything down.

What somebody without a session meets:
`
}

function groupName(id: string): string {
  return Object.entries(GROUPS).find(([, each]) => each === id)?.[0] ?? id
}

/** Names below localhost are this machine already. */
function curlAddress({ domain, gateway }: Stage): string {
  return domain === 'localhost' ? '' : `--connect-to '::${gateway.address}:' `
}

function chromiumFlags({ domain, gateway, certificate }: Stage): string {
  const key = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' })
  const rules = domain === 'localhost' ? [] : [`'--host-resolver-rules=MAP *.${domain} ${gateway.address}'`]
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const trust = `--ignore-certificate-errors-spki-list=${createHash('sha256').update(key).digest('base64')}`
  return [...rules, ...sandbox, trust].join(' ')
}
