// What an Ingress may not carry while it is protected by ingress-nginx, and what is worth a warning.
import { covers, normaliseHost, underDomain } from '../../core/hosts.ts'
import { reason } from '../../core/reasons.ts'
import type { Reason, Route, Target } from '../../core/types.ts'
import { accepts, buffersLoad, meansWhatItSays, sizeInBytes, verdict } from './annotation-values.ts'
import { isAside, isOwned, isTrue, SNIPPETS } from './owned.ts'

/** Copies requests, session cookies included, to somebody else. */
const MIRRORS: ReadonlySet<string> = new Set(['mirror-target', 'mirror-host', 'mirror-request-body'])
/** An alias can also be a regular expression, of which nobody can say whose hosts it means. */
const HOST = /^(\*\.)?[a-z0-9.-]+$/
/** Paths that begin so are served without authentication (`no-auth-locations`, the controller's default). */
const ACME = '/.well-known/acme-challenge'

export function refuse(bare: Route, target: Target, prefix: string): Reason[] {
  const problems = bare.paths
    .filter(path => path.startsWith(ACME))
    .map(path => reason('path-open', { path }, 'spec.rules'))
  // In one order, whatever order the annotations came in.
  for (const annotation of Object.keys(bare.annotations).sort()) {
    // The controller's check of risky annotations does not ask for the prefix.
    if (SNIPPETS.has(annotation)) problems.push(reason('annotation-opens', { annotation }, field(annotation)))
    const name = nameOf(annotation, prefix)
    if (name === undefined) continue
    const value = bare.annotations[annotation] ?? ''
    problems.push(
      ...(annotation.startsWith(`${prefix}/`)
        ? refuseValue(annotation, name, value, target)
        : refuseSpelling(annotation, name, prefix)),
    )
  }
  return [...problems, ...refuseBuffers(bare, target, prefix)]
}

const BESIDE_THE_BUFFER = ['proxy-buffers-number', 'proxy-busy-buffers-size', 'proxy-max-temp-file-size']

/**
 * The buffer that a login needs is written into nginx.conf beside the owner's other buffer settings. Sizes that do not go
 * together keep nginx from loading anything, and then every Ingress of the controller is served as it was before.
 */
function refuseBuffers({ annotations }: Route, { team }: Target, prefix: string): Reason[] {
  const of = (name: string) => annotations[`${prefix}/${name}`]
  const given = BESIDE_THE_BUFFER.filter(name => of(name) !== undefined)
  if (given.length === 0) return []
  const { bufferSize } = team.proxy
  const current = of('proxy-buffer-size') ?? ''
  const size = (sizeInBytes(current) ?? 0) < (sizeInBytes(bufferSize) ?? 0) ? bufferSize : current
  const beside = {
    number: of('proxy-buffers-number'),
    busy: of('proxy-busy-buffers-size'),
    maxTempFile: of('proxy-max-temp-file-size'),
  }
  if (buffersLoad({ size, ...beside })) return []
  const accepted = `a value that goes with a buffer of ${size}`
  return given
    .map(name => `${prefix}/${name}`)
    .map(annotation =>
      reason('annotation-value', { annotation, gateway: 'ingress-nginx', accepted }, field(annotation)),
    )
}

/** In another case the controller does not read it, but other readers of the same annotations may. */
function refuseSpelling(annotation: string, name: string, prefix: string): Reason[] {
  return isOwned(name)
    ? [reason('annotation-spelling', { annotation, correct: `${prefix}/${name}` }, field(annotation))]
    : []
}

function refuseValue(annotation: string, name: string, value: string, target: Target): Reason[] {
  if (name !== name.toLowerCase())
    return refuseSpelling(annotation, name.toLowerCase(), annotation.slice(0, -name.length - 1))
  if (name === 'canary' && isTrue(value)) return [reason('canary-labelled', {}, field(annotation))]
  if (opens(name, value)) return [reason('annotation-opens', { annotation }, field(annotation))]
  // A value that only makes room for a default is the owner's business, but not where it is the authentication's.
  if (verdict(name, value) === 'rejected' || (isOwned(name) && !meansWhatItSays(name, value))) {
    const accepted = accepts(name) ?? 'a value that it takes'
    return [reason('annotation-value', { annotation, gateway: 'ingress-nginx', accepted }, field(annotation))]
  }
  return name === 'server-alias' ? refuseAliases(annotation, value, target) : []
}

function opens(name: string, value: string): boolean {
  if (SNIPPETS.has(name) || MIRRORS.has(name)) return true
  // TLS then goes to the application, past every location; FastCGI takes identity headers from the client.
  return (
    (name === 'ssl-passthrough' && isTrue(value)) ||
    (name === 'backend-protocol' && value.trim().toUpperCase() === 'FCGI')
  )
}

function refuseAliases(annotation: string, value: string, { team }: Target): Reason[] {
  const aliases = value.split(',').map(alias => normaliseHost(alias.trim()))
  const foreign = aliases.filter(
    alias =>
      alias !== '' &&
      !(
        HOST.test(alias) &&
        team.hosts.some(pattern => covers(pattern, alias)) &&
        team.proxy.cookieDomains.some(domain => underDomain(alias, domain))
      ),
  )
  return foreign.map(host => reason('alias-of-others', { host, team: team.name, annotation }, field(annotation)))
}

export function warn(bare: Route, target: Target, prefix: string): Reason[] {
  const warnings = target.team.proxy.scheme === 'https' ? [reason('proxy-unverified')] : []
  for (const annotation of Object.keys(bare.annotations).sort()) {
    const name = nameOf(annotation, prefix)
    if (name === undefined) continue
    const value = bare.annotations[annotation] ?? ''
    if (isAside(name, value, target.client) && !isReplaced(name, target))
      warnings.push(reason('annotation-set-aside', { annotation }))
    else if (verdict(name, value) === 'unknown') warnings.push(reason('annotation-unknown', { annotation }))
    else if (name === 'rewrite-target') warnings.push(reason('rewrite-return', { annotation }))
  }
  return warnings
}

/** Keys that the injection writes itself: replacing a hand-made login by ours is what the label asks for. */
function isReplaced(name: string, { client }: Target): boolean {
  return (
    name === 'auth-url' ||
    name === 'auth-response-headers' ||
    name === 'auth-always-set-cookie' ||
    (name === 'auth-signin' && client === 'browser')
  )
}

/** Without the prefix, which is compared without regard to case. */
function nameOf(annotation: string, prefix: string): string | undefined {
  if (annotation[prefix.length] !== '/') return undefined
  const own = annotation.slice(0, prefix.length)
  if (own === prefix) return annotation.slice(prefix.length + 1)
  return own.toLowerCase() === prefix.toLowerCase() ? annotation.slice(prefix.length + 1).toLowerCase() : undefined
}

function field(annotation: string): string {
  return `metadata.annotations[${annotation}]`
}
