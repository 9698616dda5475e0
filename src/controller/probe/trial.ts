// The trial: an Ingress that only we refuse, sent to the API server again and again and never stored. Whatever else comes
// back says that routes are not judged.
import { PROTECT } from '../../core/keys.ts'
import type { KubeObject } from '../../core/types.ts'
import type { Written } from '../../kube/write.ts'

/**
 * judged: by us. unjudged: it would have been stored, or the API server cannot ask us. unknown: somebody else spoke before
 * us, or the API server does not answer; that says nothing about us.
 */
export type Trial =
  | { readonly result: 'judged' }
  | { readonly result: 'unjudged' | 'unknown'; readonly message: string }

/** No name of a team has capital letters, so whatever teams there are, this is refused; the host is nobody's. */
const NO_TEAM = 'Portcullis-Trial'
const ENTRY = 'validate.auth.example'
/** The policy that refuses where the entry is not in force. */
const STAND_IN = "'injected.auth.example'"

export function trialIngress(namespace: string): KubeObject {
  const name = 'portcullis-trial'
  const backend = { service: { name, port: { number: 80 } } }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace, labels: { [PROTECT]: NO_TEAM } },
    spec: { rules: [{ host: `${name}.invalid`, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }] },
  }
}

/** What the API server says of a webhook that it could not ask, and of one that refuses. */
export function readTrial(written: Written): Trial {
  if (written.outcome === 'done') return { result: 'unjudged', message: 'it would have been stored' }
  const message = 'message' in written ? written.message : written.outcome
  if (message.includes(`"${ENTRY}" denied the request`) && message.includes('[label-value]'))
    return { result: 'judged' }
  const isUnjudged = message.includes(`failed calling webhook "${ENTRY}"`) || message.includes(STAND_IN)
  return { result: isUnjudged ? 'unjudged' : 'unknown', message }
}
