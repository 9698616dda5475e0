// A recorded history of routes, policies and facts, one change at a time: at each of them, what is in front of every
// labelled HTTPRoute, and whether that may be so.
import type { AuthTeam } from '../../src/api/auth-team.ts'
import { identity } from '../../src/core/companions.ts'
import { covers } from '../../src/core/hosts.ts'
import { array, isObject, object, string, strings } from '../../src/core/json.ts'
import { ACCESS, INJECTED, MANAGED_BY, MANAGER, PROTECT, STANDS_FOR } from '../../src/core/keys.ts'
import { NET_PREFIX } from '../../src/core/names.ts'
import { readRoute } from '../../src/core/route.ts'
import { chooseTeam, saysOpen, saysTrue } from '../../src/core/team.ts'
import type { KubeObject } from '../../src/core/types.ts'
import { FactStore } from '../../src/facts/store.ts'
import { config } from '../facts/cluster.ts'

export type Change = { readonly type: 'put' | 'remove'; readonly object: KubeObject }

/** `rest`: until now everything has been worked off. What is meant from here on counts, and nothing older. */
export type Entry = Change | { readonly type: 'rest' }

export type Judged = {
  readonly violations: readonly string[]
  readonly changes: number
  /** How often a labelled route was looked at, and how often the net was all that it had. */
  readonly looks: number
  readonly byNet: number
}

export function judge(history: readonly Entry[]): Judged {
  const replay = new Replay()
  for (const entry of history) {
    if (entry.type === 'rest') replay.rest()
    else replay.take(entry)
  }
  return replay
}

class Replay implements Judged {
  readonly violations: string[] = []
  changes = 0
  looks = 0
  byNet = 0
  readonly #objects = new Map<string, KubeObject>()
  readonly #facts = new FactStore(config())
  /** Namespaces where a net has been. */
  readonly #onboarded = new Set<string>()
  /** Of what each object of ours stands for, its name. */
  readonly #names = new Map<string, string>()
  /**
   * Since the last rest: by route, policies that it has meant; by policy, what it has had to ask; what was not wanted. What
   * is frozen keeps what it had.
   */
  #meant = new Map<string, Set<string>>()
  #asked = new Map<string, Set<string>>()
  #unwanted = new Set<string>()
  /** Told once while it lasts. */
  #wrongNow = new Set<string>()

  take({ type, object: document }: Change): void {
    this.changes++
    const version = `${String(document.metadata.resourceVersion)}, ${type} ${identity(document)}`
    if (type === 'remove') this.#removed(document, version)
    else this.#put(document, version)
    this.#note()
    this.#look(version)
  }

  rest(): void {
    const [meant, asked] = [this.#meant, this.#asked]
    this.#meant = new Map()
    this.#asked = new Map()
    this.#unwanted = new Set()
    this.#note()
    for (const route of this.#labelled()) {
      const winner = this.#winner(route)
      if (winner === undefined || (this.#isServed(route) && !this.#isOfMissing(winner))) continue
      const name = String(winner.metadata.name)
      if (meant.get(identity(route))?.has(name)) add(this.#meant, identity(route), name)
    }
    for (const policy of this.#unwanted) {
      for (const each of asked.get(policy) ?? []) add(this.#asked, policy, each)
    }
    this.#look('at rest')
    for (const route of this.#labelled()) {
      const winner = this.#winner(route)
      if (winner !== undefined && isNet(winner) && this.#isServed(route)) {
        this.violations.push(`at rest: ${identity(route)} is closed by ${identity(winner)}`)
      }
    }
  }

  #put(document: KubeObject, version: string): void {
    this.#objects.set(identity(document), document)
    this.#facts.put(document)
    if (!isOurs(document)) return
    const { namespace, name, annotations } = document.metadata
    if (isNet(document)) this.#onboarded.add(String(namespace))
    const standsFor = `${document.kind} ${namespace} ${strings(annotations)[STANDS_FOR]}`
    // The net is what has another name each time; of logins there may be several.
    if (document.kind === 'SecurityPolicy' && !isNet(document)) {
      const before = this.#names.get(standsFor) ?? name
      if (before !== name) this.violations.push(`${version}: was named ${before} before`)
      this.#names.set(standsFor, String(name))
    }
  }

  #removed(document: KubeObject, version: string): void {
    this.#objects.delete(identity(document))
    this.#facts.remove(document)
    if (!isOurs(document)) return
    const isOfGateway = document.kind === 'ClientTrafficPolicy' || /anchor/.test(String(document.metadata.name))
    const isGuard = document.kind === 'SecurityPolicy' && !isNet(document)
    if (isOfGateway || (isGuard && !this.#unwanted.has(identity(document)))) {
      this.violations.push(`${version}: taken away although it was wanted`)
    }
  }

  /** What is meant from now on. */
  #note(): void {
    for (const route of this.#labelled()) {
      const id = identity(route)
      for (const policy of this.#policiesMeant(route)) add(this.#meant, id, policy)
      // Whose it has been since the last rest it may be still, at the level that it says now.
      const level = strings(route.metadata.labels)[ACCESS]
      for (const policy of [...(this.#meant.get(id) ?? [])]) add(this.#meant, id, nameOf(teamOf(policy), level))
    }
    for (const policy of this.#objects.values()) {
      if (policy.kind !== 'SecurityPolicy' || isNet(policy) || !isOurs(policy)) continue
      const [, , level] = String(policy.metadata.name).split('.')
      const team = teamOf(String(policy.metadata.name))
      const { admitted } = this.#facts.teamsIn(String(policy.metadata.namespace))
      const found = admitted.find(({ name }) => name === team)
      const access = level === undefined ? undefined : found?.access.get(level)
      if (found === undefined || (level !== undefined && access === undefined)) {
        this.#unwanted.add(identity(policy))
        continue
      }
      const { namespace, name } = found.proxy.service
      add(this.#asked, identity(policy), `${namespace}/${name} ${access?.allowedGroups.join(',') ?? ''}`)
    }
  }

  #look(version: string): void {
    const before = this.#wrongNow
    this.#wrongNow = new Set()
    for (const route of this.#labelled()) {
      this.looks++
      const winner = this.#winner(route)
      const wrong = winner === undefined ? 'nothing is in front of it' : this.#wrong(route, winner)
      if (wrong !== undefined) {
        const what = `${identity(route)}: ${wrong}`
        this.#wrongNow.add(what)
        if (!before.has(what)) this.violations.push(`${version}: ${what}`)
      }
      if (winner !== undefined && isNet(winner)) this.byNet++
    }
  }

  #wrong(route: KubeObject, winner: KubeObject): string | undefined {
    const name = String(winner.metadata.name)
    const spec = object(winner.spec)
    const isShut = object(spec.authorization).defaultAction === 'Deny' && spec.mergeType === undefined
    if (!isShut) return `${name} does not deny what has no session`
    if (isNet(winner)) return array(object(spec.authorization).rules).length > 0 ? `${name} has exceptions` : undefined
    if (!isObject(spec.extAuth) || object(spec.extAuth).failOpen !== false) return `${name} asks for no login`
    if (!this.#meant.get(identity(route))?.has(name)) return `${name} is in front, which it has not meant`
    const asked = asks(winner)
    return this.#asked.get(identity(winner))?.has(asked) ? undefined : `${name} asks ${asked}, which nobody has said`
  }

  /**
   * The one that its labels choose. Where that is none: the one that they name, or the namespace's label for them, and the
   * one that it had; that one also while its team is missing.
   */
  #policiesMeant(document: KubeObject): string[] {
    const route = readRoute(document)
    if (route === undefined) return []
    const recorded = recordedTeam(document)
    const chosen = chooseTeam(route, recorded, this.#facts)
    const level = route.labels[ACCESS]
    const said = route.labels[PROTECT] ?? ''
    const named = nameOf(
      (saysTrue(said) ? this.#facts.namespace(route.ref.namespace)?.labels[PROTECT] : said) ?? '',
      level,
    )
    if (Array.isArray(chosen)) return recorded === undefined ? [named] : [named, nameOf(recorded, level)]
    const isMissing = recorded !== undefined && this.#facts.team(recorded) === undefined
    return [nameOf(chosen.team.name, level), ...(isMissing ? [nameOf(recorded, level)] : [])]
  }

  /** Whether it could be reached through its login now. */
  #isServed(document: KubeObject): boolean {
    const route = readRoute(document)
    const recorded = recordedTeam(document)
    if (route === undefined || (recorded !== undefined && this.#facts.team(recorded) === undefined)) return false
    const chosen = chooseTeam(route, recorded, this.#facts)
    // One that was of a team whose hosts it has stays with that team, until somebody changes the hosts.
    return !Array.isArray(chosen) && route.hosts.every(host => mayHave(chosen.team, host))
  }

  /** What means "the team of this namespace" stays with it until sweeps have found for minutes that it is missing. */
  #isOfMissing(policy: KubeObject): boolean {
    return !isNet(policy) && isOurs(policy) && this.#facts.team(teamOf(String(policy.metadata.name))) === undefined
  }

  #labelled(): KubeObject[] {
    return [...this.#objects.values()].filter(
      ({ kind, metadata: { labels, namespace } }) =>
        kind === 'HTTPRoute' && !saysOpen(strings(labels)[PROTECT]) && this.#onboarded.has(String(namespace)),
    )
  }

  /** As Envoy Gateway decides: the oldest, of the same second the first by name. Whoever wrote it. */
  #winner(route: KubeObject): KubeObject | undefined {
    return [...this.#objects.values()]
      .filter(({ kind, metadata }) => kind === 'SecurityPolicy' && metadata.namespace === route.metadata.namespace)
      .filter(policy => targets(policy, route))
      .sort((a, b) => (age(a) < age(b) ? -1 : 1))[0]
  }
}

function nameOf(team: string, level: string | undefined): string {
  return ['portcullis-team', team, ...(level === undefined ? [] : [level])].join('.')
}

function mayHave({ hosts }: AuthTeam, host: string): boolean {
  return hosts.some(pattern => covers(pattern, host))
}

function teamOf(policy: string): string {
  return policy.split('.')[1] ?? ''
}

function isOurs({ metadata }: KubeObject): boolean {
  return strings(metadata.labels)[MANAGED_BY] === MANAGER
}

function isNet({ kind, metadata }: KubeObject): boolean {
  return kind === 'SecurityPolicy' && String(metadata.name).startsWith(NET_PREFIX)
}

function age({ metadata }: KubeObject): string {
  return `${String(metadata.creationTimestamp)} ${String(metadata.name)}`
}

function recordedTeam({ metadata }: KubeObject): string | undefined {
  const record = strings(metadata.annotations)[INJECTED]
  return record === undefined ? undefined : string(object(JSON.parse(record)).team)
}

/** The Service, and the groups that its answer is narrowed to. */
function asks({ spec }: KubeObject): string {
  const http = object(object(object(spec).extAuth).http)
  const { namespace, name } = object(array(http.backendRefs)[0])
  const groups = new URL(String(http.pathOverride), 'http://proxy').searchParams.get('allowed_groups') ?? ''
  return `${String(namespace)}/${String(name)} ${groups}`
}

type Expression = { readonly key: string; readonly operator: string; readonly values?: readonly string[] }

function targets({ spec }: KubeObject, { metadata }: KubeObject): boolean {
  const { targetRefs, targetSelectors } = object(spec)
  const labels = strings(metadata.labels)
  const isNamed = array(targetRefs).some(
    each => object(each).kind === 'HTTPRoute' && object(each).name === metadata.name,
  )
  return (
    isNamed ||
    array(targetSelectors)
      .map(object)
      .some(each => selects(each, labels))
  )
}

/** Written once more, so that a mistake in ours would show. */
function selects(selector: { readonly [key: string]: unknown }, labels: Readonly<Record<string, string>>): boolean {
  const isSame = ([key, value]: [string, unknown]) => labels[key] === value
  const expressions = array(selector.matchExpressions) as readonly Expression[]
  return (
    Object.entries(object(selector.matchLabels)).every(isSame) &&
    expressions.every(({ key, operator, values = [] }) => {
      const value = labels[key]
      if (operator === 'Exists') return value !== undefined
      if (operator === 'DoesNotExist') return value === undefined
      return (value !== undefined && values.includes(value)) === (operator === 'In')
    })
  )
}

function add(sets: Map<string, Set<string>>, key: string, value: string): void {
  const values = sets.get(key) ?? new Set()
  sets.set(key, values.add(value))
}
