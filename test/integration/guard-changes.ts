// Generated changes of one lane: two teams, two namespaces and four HTTPRoutes that no other lane shares.
import fc from 'fast-check'
import { ACCESS, PROTECT } from '../../src/core/keys.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { httpRoute, namespace } from './cluster-objects.ts'

export type Change =
  | { readonly what: 'put' | 'remove'; readonly object: KubeObject; readonly says: string }
  /** A merge patch of what is there. */
  | { readonly what: 'patch'; readonly object: KubeObject; readonly to: object; readonly says: string }

/** `sharesHosts`: both of its teams have all of its hosts, which the webhook would not have let be. */
export type Lane = { readonly name: string; readonly sharesHosts: boolean }

/** `waitsMs`: after it, before the next. */
export type Move = { readonly change: Change; readonly waitsMs: number }

const TEAM = 'auth.example/team'
const LEVELS = ['admins', 'robots']
const DOMAIN = 'lanes.example.com'

function teamOf(
  { name: lane, sharesHosts }: Lane,
  letter: string,
  levels: readonly string[],
  service: string,
): KubeObject {
  const name = `${lane}-${letter}`
  const selector = { matchExpressions: [{ key: TEAM, operator: 'In', values: [name, `${lane}-both`] }] }
  const access = levels.map(level => ({ name: level, allowedGroups: [`${level}-of-${name}`] }))
  const [of = '', proxy = ''] = service.split('/')
  const spec = {
    namespaces: { selector },
    access,
    hosts: [sharesHosts ? `*.${lane}.${DOMAIN}` : `*.${letter}.${lane}.${DOMAIN}`],
    proxy: { service: { namespace: of, name: proxy }, cookieDomains: [DOMAIN], cookieName: `__Secure-${name}` },
  }
  return { apiVersion: 'auth.example/v1alpha1', kind: 'AuthTeam', metadata: { name }, spec }
}

function namespaceOf(lane: string, letter: string, labels: Readonly<Record<string, string>> = {}): KubeObject {
  const { metadata, ...rest } = namespace(`${lane}-${letter}`)
  return { ...rest, metadata: { ...metadata, labels } }
}

function routeOf(lane: string, index: number, labels: Readonly<Record<string, string>>): KubeObject {
  const of = `${lane}-${index % 2 === 0 ? 'x' : 'y'}`
  const { metadata, ...rest } = httpRoute(`route-${index}`, of, hostOf(lane, index, 'a'))
  return { ...rest, metadata: { ...metadata, labels } }
}

function hostOf(lane: string, index: number, letter: string): string {
  return `route-${index}.${letter}.${lane}.${DOMAIN}`
}

/** The lane before the first move. */
export function start(of: Lane): { readonly facts: readonly KubeObject[]; readonly routes: readonly KubeObject[] } {
  const { name: lane } = of
  const labels = { [TEAM]: `${lane}-both`, [PROTECT]: `${lane}-a` }
  return {
    facts: [
      ...['x', 'y'].map(letter => namespaceOf(lane, letter, labels)),
      ...['a', 'b'].map(letter => teamOf(of, letter, LEVELS, `auth/proxy-${letter}`)),
    ],
    routes: [
      routeOf(lane, 0, { [PROTECT]: 'true' }),
      routeOf(lane, 1, { [PROTECT]: 'true', [ACCESS]: 'admins' }),
      routeOf(lane, 2, { [PROTECT]: `${lane}-a` }),
      routeOf(lane, 3, { [PROTECT]: '' }),
    ],
  }
}

const letters = fc.constantFrom('a', 'b')
const places = fc.constantFrom('x', 'y')

export function moves(of: Lane, most: number): fc.Arbitrary<readonly Move[]> {
  const { name: lane } = of
  const relabelled = (letter: string, labels: object, says: string): Change => {
    return { what: 'patch', object: namespaceOf(lane, letter), to: { metadata: { labels } }, says }
  }
  const admitted = fc
    .tuple(places, fc.constantFrom(`${lane}-a`, `${lane}-b`, `${lane}-both`, null))
    .map(([place, value]) => relabelled(place, { [TEAM]: value }, `${place} is admitted by ${value}`))
  const meant = fc
    .tuple(places, fc.constantFrom(`${lane}-a`, `${lane}-b`, null))
    .map(([place, value]) => relabelled(place, { [PROTECT]: value }, `${place} means ${value}`))
  const moved = fc
    .tuple(places, letters)
    .map(([place, letter]) =>
      relabelled(
        place,
        { [TEAM]: `${lane}-${letter}`, [PROTECT]: `${lane}-${letter}` },
        `${place} moves to ${letter} alone`,
      ),
    )
  const labelled = fc
    .tuple(
      fc.nat({ max: 3 }),
      fc.constantFrom('true', '', `${lane}-a`, `${lane}-b`, 'nobody', 'false', null),
      fc.constantFrom('admins', 'robots', 'strange', null, null, null),
      letters,
    )
    .map(([index, value, level, letter]): Change => {
      const labels = { [PROTECT]: value, [ACCESS]: level }
      const to = { metadata: { labels }, spec: { hostnames: [hostOf(lane, index, letter)] } }
      return {
        what: 'patch',
        object: routeOf(lane, index, {}),
        to,
        says: `route ${index} says ${JSON.stringify(value)}, access ${level}, host of ${letter}`,
      }
    })
  const edited = fc
    .tuple(letters, fc.subarray(LEVELS), fc.constantFrom('auth/proxy', 'auth/other', 'elsewhere/proxy'))
    .map(([letter, levels, service]): Change => {
      const object = teamOf(of, letter, levels, `${service}-${letter}`)
      return { what: 'put', object, says: `team ${letter} has [${levels}] and ${service}-${letter}` }
    })
  const gone = letters.map((letter): Change => {
    return { what: 'remove', object: teamOf(of, letter, [], 'auth/none'), says: `team ${letter} is deleted` }
  })
  const change = fc.oneof(
    { weight: 2, arbitrary: admitted },
    { weight: 2, arbitrary: meant },
    { weight: 2, arbitrary: moved },
    { weight: 5, arbitrary: labelled },
    { weight: 3, arbitrary: edited },
    { weight: 1, arbitrary: gone },
  )
  const move = fc.record({ change, waitsMs: fc.constantFrom(0, 0, 0, 100, 700, 2_300) })
  return fc.array(move, { minLength: most, maxLength: most })
}
