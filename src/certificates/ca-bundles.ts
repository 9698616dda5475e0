// The webhook configurations as far as certificates go: whom the API server trusts, and the patch that makes it right.
import { array, object, string } from '../core/json.ts'
import type { KubeObject, Operation } from '../core/types.ts'

/** For the entries that have another one alone; nothing else of a configuration is ours to write. */
export function bundlePatch(configuration: KubeObject, bundle: string): Operation[] {
  const value = Buffer.from(bundle).toString('base64')
  return array(configuration.webhooks).flatMap((each, index): Operation[] => {
    if (object(object(each).clientConfig).caBundle === value) return []
    return [{ op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value }]
  })
}

/** All of it together, as text. */
export function trustedBy(configurations: readonly KubeObject[]): string {
  const bundles = configurations.flatMap(({ webhooks }) =>
    array(webhooks).flatMap(each => string(object(object(each).clientConfig).caBundle) ?? []),
  )
  return [...new Set(bundles)].map(each => Buffer.from(each, 'base64').toString('utf8')).join('\n')
}
