// The BackendTLSPolicy with which Envoy checks the certificate of a team's oauth2-proxy that serves HTTPS.
import type { AuthTeam } from '../../api/auth-team.ts'
import { companionMetadata, scopeKey } from '../../core/companions.ts'
import type { Companion } from '../../core/types.ts'

/** Missing, the calls to oauth2-proxy fail, and with them every request: closed, so it is no guard. */
export function backendTls(team: AuthTeam, clusterDomain: string): Companion {
  const { service, caSecret } = team.proxy
  const name = { namespace: service.namespace, name: `portcullis-tls.${team.name}` }
  return {
    guards: false,
    object: {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'BackendTLSPolicy',
      metadata: companionMetadata(name, `oauth2-proxy of team ${team.name}`, scopeKey({ of: 'team', team: team.name })),
      spec: {
        targetRefs: [{ group: '', kind: 'Service', name: service.name }],
        validation: {
          hostname: `${service.name}.${service.namespace}.svc.${clusterDomain}`,
          caCertificateRefs: [{ group: '', kind: 'Secret', name: caSecret }],
        },
      },
    },
  }
}
