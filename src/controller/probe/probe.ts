// An Ingress that is never stored: as long as anybody of ours is asked about it, the API server doesn't give it back bare.
import { strings } from '../../core/json.ts'
import { INJECTED, PROTECT } from '../../core/keys.ts'
import { plan } from '../../core/planner.ts'
import type { Facts, GatewayKind, KubeObject, Namespace } from '../../core/types.ts'

export type ProbeFacts = Facts & { namespaces(): Iterable<Namespace> }

/** One that would be protected, where there is a team and a class for it; else one that would be refused. */
export function probeIngress(
  name: string,
  facts: ProbeFacts,
  classes: readonly string[],
  gateways: readonly GatewayKind[],
): KubeObject {
  for (const { name: namespace } of facts.namespaces()) {
    for (const team of facts.teamsIn(namespace).admitted) {
      const hosts = team.hosts.map(host => host.replace(/^\*/, name))
      for (const host of hosts) {
        for (const className of classes) {
          const probe = ingress({ name, namespace, team: team.name, host, className })
          if (plan(probe, facts, gateways).outcome === 'protect') return probe
        }
      }
    }
  }
  return ingress({ name, namespace: facts.config.namespace, team: 'true', host: `${name}.invalid` })
}

type Named = { name: string; namespace: string; team: string; host: string; className?: string }

function ingress({ name, namespace, team, host, className }: Named): KubeObject {
  const backend = { service: { name, port: { number: 80 } } }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace, labels: { [PROTECT]: team } },
    spec: {
      ...(className === undefined ? {} : { ingressClassName: className }),
      rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
    },
  }
}

/** `unclear`: somebody else refused it, and may have spoken before one of ours. */
export type Probed = 'bare' | 'asked' | 'unclear'

/** The API server names the webhook or the policy that refused, in quotes; the names of ours end so. */
const OUR_NAMES = /["'][a-z.-]+\.auth\.example["']/

export function readProbe(answer: { readonly object?: KubeObject; readonly message?: string }): Probed {
  if (answer.object !== undefined)
    return strings(answer.object.metadata.annotations)[INJECTED] === undefined ? 'bare' : 'asked'
  return OUR_NAMES.test(answer.message ?? '') ? 'asked' : 'unclear'
}
