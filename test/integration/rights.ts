// What somebody may do, as the API server's own authorizer lists it.
import type { ControlPlane } from '../parts/control-plane.ts'
import type { User } from './api.ts'
import { succeeds } from './objects.ts'

/** Lines of `kubectl auth can-i --list`: resources, URLs, names, verbs. */
export type Rights = { readonly objects: readonly string[]; readonly urls: readonly string[] }

/** What every account may do. */
export const EVERYBODY = [
  'selfsubjectreviews.authentication.k8s.io [] [] [create]',
  'selfsubjectaccessreviews.authorization.k8s.io [] [] [create]',
  'selfsubjectrulesreviews.authorization.k8s.io [] [] [create]',
]

/** In this namespace; sorted. */
export async function rightsOf(controlPlane: ControlPlane, { name, groups }: User, namespace: string): Promise<Rights> {
  const as = ['--as', name, ...groups.flatMap(each => ['--as-group', each])]
  const listed = await succeeds(controlPlane, ['auth', 'can-i', '--list', '--no-headers', '-n', namespace, ...as])
  const lines = listed.trim().split('\n')
  const rights = lines.map(each => inOrder(each.trim().split(/ {2,}/).join(' '))).sort()
  // A line about URLs has no resource before them.
  const isUrl = (line: string) => line.startsWith('[')
  return { objects: rights.filter(each => !isUrl(each)), urls: rights.filter(isUrl) }
}

const VERBS = ['list', 'watch', 'get', 'create', 'patch', 'delete']

/** Where several roles give a right, their verbs come in whatever order. */
function inOrder(line: string): string {
  return line.replace(/\[([^\]]*)]$/, (_, verbs: string) => {
    const place = (verb: string) => VERBS.indexOf(verb)
    return `[${verbs
      .split(' ')
      .sort((a, b) => place(a) - place(b))
      .join(' ')}]`
  })
}
