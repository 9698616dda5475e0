// Every decision that a person can meet: its code, its sentence and what to do. No other file makes a sentence.
import type { Reason } from './types.ts'

/** nothing: nothing to do. refused: the label is not admitted. later: not yet, ask again. warning: admitted, said aloud. */
export type Severity = 'nothing' | 'refused' | 'later' | 'warning'
type Entry = { readonly severity: Severity; readonly says: string; readonly todo: string }

export const REASONS = {
  'not-labelled': { severity: 'nothing', says: 'the route has no label {label}', todo: 'add the label to protect it' },
  'opted-out': {
    severity: 'nothing',
    says: 'the label says "false": not protected, on purpose',
    todo: 'set it to "true" to protect the route',
  },
  'not-a-route': {
    severity: 'nothing',
    says: 'a {kind} is not a kind of route',
    todo: 'label an Ingress or an HTTPRoute',
  },
  terminating: { severity: 'nothing', says: 'the route is being deleted', todo: 'nothing' },
  untouched: { severity: 'nothing', says: 'nothing that decides about protection was changed', todo: 'nothing' },

  'route-kind': {
    severity: 'refused',
    says: 'the label does nothing on a {kind}, which would stay open',
    todo: 'remove the label, or serve the application by an Ingress or an HTTPRoute',
  },
  'label-value': {
    severity: 'refused',
    says: '"{value}" is neither "true", "false" nor the name of a team',
    todo: 'write "true" for the team of this namespace, or one of: {teams}',
  },
  'team-unknown': { severity: 'refused', says: 'there is no team {team}', todo: 'write "true", or one of: {teams}' },
  'team-gone': {
    severity: 'refused',
    says: 'team {team}, which protects this route, is gone',
    todo: 'write one of: {teams}, or have an administrator restore it',
  },
  'team-elsewhere': {
    severity: 'refused',
    says: 'team {team} does not admit namespace {namespace}',
    todo: 'ask its administrators, or write one of: {teams}',
  },
  'team-none': {
    severity: 'refused',
    says: 'no team admits namespace {namespace}',
    todo: 'ask an administrator to add it to an AuthTeam',
  },
  'team-ambiguous': {
    severity: 'refused',
    says: 'several teams admit namespace {namespace} and none is its default',
    todo: 'write one of: {teams}',
  },
  'team-defaults': {
    severity: 'refused',
    says: 'teams {teams} are all the default of namespace {namespace}',
    todo: 'write the name of one, or have an administrator leave one default',
  },
  'access-unknown': {
    severity: 'refused',
    says: 'team {team} has no access level "{access}"',
    todo: 'use one of: {levels}, or remove the label {label}',
  },
  'client-unknown': {
    severity: 'refused',
    says: '"{value}" is no kind of client',
    todo: 'write "browser" (redirect to the login) or "api" (401)',
  },

  'companion-labelled': {
    severity: 'refused',
    says: 'this object belongs to Portcullis and is not a route of an application',
    todo: 'remove the label',
  },
  'own-proxy': {
    severity: 'refused',
    says: 'every backend of this route is the oauth2-proxy of team {team}: behind a login the login itself could not be reached',
    todo: 'remove the label',
  },
  'solver-labelled': {
    severity: 'refused',
    says: 'this route answers certificate challenges, which nobody could log in for',
    todo: 'remove the label',
  },
  'canary-labelled': {
    severity: 'refused',
    says: 'a canary has no protection of its own; it takes that of the Ingress beside it',
    todo: 'label the main Ingress, and remove the label here',
  },

  'class-missing': {
    severity: 'refused',
    says: 'the Ingress names no class and the cluster has no default',
    todo: 'set spec.ingressClassName',
  },
  'class-unknown': {
    severity: 'refused',
    says: 'there is no IngressClass {class}',
    todo: 'set spec.ingressClassName to one that exists',
  },
  'class-ambiguous': {
    severity: 'refused',
    says: 'it is not clear which class serves the Ingress: {classes}',
    todo: 'set spec.ingressClassName alone, or leave one default class',
  },
  'controller-unknown': {
    severity: 'refused',
    says: 'controller {controller} of {class} is none that Portcullis knows, so the label would do nothing',
    todo: 'use another class, or have an administrator map the controller in the configuration',
  },
  'kind-unsupported': {
    severity: 'refused',
    says: '{gateway} does not protect objects of kind {kind}',
    todo: 'use a class of another controller, or another kind of route',
  },
  'parents-missing': { severity: 'refused', says: 'the HTTPRoute names no Gateway', todo: 'set spec.parentRefs' },
  'parent-kind': {
    severity: 'refused',
    says: 'a parent of kind {kind} passes by every Gateway, and so by the login',
    todo: 'name a Gateway instead',
  },
  'gateway-unknown': {
    severity: 'refused',
    says: 'there is no Gateway {gateway}',
    todo: 'correct the parentRef, or create the Gateway first',
  },
  'gateway-class-unknown': {
    severity: 'refused',
    says: 'Gateway {gateway} has GatewayClass {class}, which does not exist',
    todo: 'create the GatewayClass, or name another Gateway',
  },
  'gateways-differ': {
    severity: 'refused',
    says: 'the parents belong to different gateways ({controllers}), which are protected in different ways',
    todo: 'make one HTTPRoute for each',
  },
  'listener-none': {
    severity: 'refused',
    says: 'no listener of Gateway {gateway} takes this route (section, port, host and namespace have to fit)',
    todo: 'correct the parentRef or the hostnames, or the listener',
  },

  'host-missing': {
    severity: 'refused',
    says: 'the route answers every host, and no team owns every host',
    todo: 'name the hosts of the application',
  },
  'default-backend': {
    severity: 'refused',
    says: 'a default backend answers what no rule matches, on hosts that no team owns',
    todo: 'use a rule with a host and the path /',
  },
  'host-of-others': {
    severity: 'refused',
    says: 'host {host} is not one of team {team} ({hosts})',
    todo: 'use a host of the team, or ask an administrator',
  },
  'host-no-cookie': {
    severity: 'refused',
    says: 'nobody could log in on {host}: the cookies of team {team} are for {domains}',
    todo: 'use a host under that domain',
  },
  'path-of-login': {
    severity: 'refused',
    says: 'path {path} is where team {team} serves its login',
    todo: 'use another path',
  },
  'path-open': {
    severity: 'refused',
    says: 'ingress-nginx asks for no login on {path}, as on any path that begins with /.well-known/acme-challenge',
    todo: 'remove the path; certificate challenges have routes of their own',
  },

  'annotation-opens': {
    severity: 'refused',
    says: 'annotation {annotation} could pass by the login',
    todo: 'remove it',
  },
  'annotation-value': {
    severity: 'refused',
    says: 'annotation {annotation} has a value that {gateway} does not take, and then it serves the route as it was before',
    todo: 'remove it, or write {accepted}',
  },
  'annotation-spelling': {
    severity: 'refused',
    says: 'annotation {annotation} is written in another case, and would lose its effect beside ours',
    todo: 'write it as {correct}',
  },
  'alias-of-others': {
    severity: 'refused',
    says: 'alias {host} is not a host of team {team} or none of its cookies reach it',
    todo: 'remove it from {annotation}',
  },
  'annotations-too-large': {
    severity: 'refused',
    says: 'with the record the annotations would be larger than the 256 KiB that Kubernetes stores',
    todo: 'shorten or remove some',
  },
  'filters-full': {
    severity: 'refused',
    says: 'the rule has as many filters as a rule may have, and the login needs one more',
    todo: 'remove one, or split the rule',
  },
  'proxy-tls': {
    severity: 'refused',
    says: 'Traefik can check the certificate of an oauth2-proxy for an Ingress only',
    todo: 'have the team use scheme http, or use an Ingress',
  },

  'policy-excludes': {
    severity: 'refused',
    says: '{policy} and the login exclude each other: only one policy takes effect on a route',
    todo: 'move what it does elsewhere, or remove it',
  },
  'gateway-open': {
    severity: 'refused',
    says: 'Gateway {gateway} is not prepared, so identity could be made up there',
    todo: 'have an administrator hand it over in the configuration, or apply: {snippet}',
  },
  'gateway-foreign-policy': {
    severity: 'refused',
    says: '{policy} replaces the client policy of Portcullis on {gateway} and does less',
    todo: 'merge into it: {snippet}',
  },
  'anchor-nowhere': {
    severity: 'refused',
    says: 'listener {listener} of Gateway {gateway} admits routes neither from the namespace of the Gateway nor from ours',
    todo: 'let it admit one of them',
  },
  'gateway-preparing': {
    severity: 'refused',
    says: 'Gateway {gateway} still serves connections from before it was prepared, for {seconds} s more',
    todo: 'try again then',
  },

  'guards-missing': {
    severity: 'later',
    says: 'what guards {scope} is being made',
    todo: 'wait; this is tried again by itself',
  },
  'injection-missing': {
    severity: 'later',
    says: 'the route is labelled, but the protection was not written into it',
    todo: 'wait; this is tried again by itself; if it stays so, find the webhook that adds the label or removes the protection after Portcullis',
  },
  'injection-other': {
    severity: 'later',
    says: 'the protection in the route was written by another version of Portcullis',
    todo: 'wait; this is tried again by itself',
  },
  'release-missing': {
    severity: 'later',
    says: 'the label is gone, but the protection was not taken out of the route',
    todo: 'wait; this is tried again by itself',
  },
  'status-changes': {
    severity: 'refused',
    says: 'a write to the status may not change what protects the route',
    todo: 'write labels, annotations and spec to the route itself',
  },
  'terminating-labelled': {
    severity: 'refused',
    says: 'the route is being deleted, and what is deleted is not protected any more',
    todo: 'make it anew with the label',
  },
  'injection-altered': {
    severity: 'refused',
    says: 'something behind Portcullis changed the protection of the route ({what})',
    todo: 'find the webhook that changes it and exempt the labelled routes there',
  },

  'protection-required': {
    severity: 'refused',
    says: 'namespace {namespace} requires a login in front of every route, and this one has none',
    todo: 'add the label {label}: "true", or ask an administrator for an AuthExemption',
  },
  'protection-wanted': {
    severity: 'warning',
    says: 'namespace {namespace} wants a login in front of every route, and this one has none',
    todo: 'add the label {label}: "true"',
  },
  'protection-audited': {
    severity: 'nothing',
    says: 'namespace {namespace} records routes without a login, and this is one',
    todo: 'add the label {label}: "true" to protect it',
  },
  'require-affects': {
    severity: 'warning',
    says: 'routes of {namespace} have no login ({count}): {routes}',
    todo: 'label or exempt them, or they can no longer be changed',
  },
  'team-hosts': {
    severity: 'refused',
    says: "host {host} is one of team {other} already, and a host is one team's alone",
    todo: "say in spec.hosts which hosts are this team's",
  },
  'team-cookie': {
    severity: 'refused',
    says: 'team {other} has cookie {cookie} on {domain} too',
    todo: 'give each oauth2-proxy a cookie name of its own',
  },
  'team-in-use': {
    severity: 'refused',
    says: 'team {team} still protects routes ({count}): {routes}',
    todo: 'remove their labels or move them to another team first',
  },
  'object-invalid': {
    severity: 'refused',
    says: '{problem}',
    todo: 'correct it',
  },

  'client-api-accept': {
    severity: 'warning',
    says: 'behind Envoy Gateway only requests with "Accept: application/json" get 401, all others a redirect',
    todo: 'have the clients send that header',
  },
  'annotation-set-aside': {
    severity: 'warning',
    says: 'annotation {annotation} is set aside while the route is protected',
    todo: 'it returns when the label goes',
  },
  'annotation-unknown': {
    severity: 'warning',
    says: 'ingress-nginx knows no annotation {annotation}',
    todo: 'look for a typing mistake',
  },
  'rewrite-return': {
    severity: 'warning',
    says: 'with {annotation} a login may return to the rewritten path',
    todo: 'try a deep link',
  },
  'redirect-late': {
    severity: 'warning',
    says: 'what {what} does happens after the login now, a redirect to https too',
    todo: 'redirect to https at the entry point',
  },
  'proxy-unverified': {
    severity: 'warning',
    says: 'ingress-nginx does not check the certificate of the oauth2-proxy',
    todo: 'keep the network between them closed to others',
  },

  fault: {
    severity: 'refused',
    says: 'Portcullis failed while deciding',
    todo: 'tell an administrator: its log has the details under {uid}',
  },
} as const satisfies Record<string, Entry>

export type ReasonCode = keyof typeof REASONS

/** Longest parameter that a sentence takes; names of objects may have 253 characters. */
const PARAMETER = 60
const PROBLEM = 160
const LINE = 256

export function reason(code: ReasonCode, params: Record<string, string> = {}, field?: string): Reason {
  return field === undefined ? { code, params } : { code, params, field }
}

export function severity(of: Reason): Severity {
  return REASONS[of.code].severity
}

/** One printable line: what is so, what to do, the code. At most 256 characters, but for a snippet to be pasted. */
export function sentence(of: Reason): string {
  const { says, todo } = REASONS[of.code] as Entry
  // Where the sentence names the annotation or the label, its field would only say it again.
  const named = Object.values(of.params).some(each => of.field?.includes(`[${each}]`))
  const at = of.field === undefined || named ? '' : `${printable(of.field, PARAMETER)}: `
  const text = `${at}${fill(says, of)}; ${fill(todo, of)}`
  const code = ` [${of.code}]`
  if (of.params.snippet !== undefined || text.length + code.length <= LINE) return text + code
  return `${text.slice(0, LINE - code.length - 1)}…${code}`
}

function fill(template: string, of: Reason): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = of.params[name] ?? ''
    if (name === 'snippet') return value
    // A problem is a sentence of its own.
    return printable(value, name === 'problem' ? PROBLEM : PARAMETER)
  })
}

/**
 * Users' text may hold line breaks and control characters, for which an API server drops a warning, and characters that
 * turn the direction of a line round, which would let a terminal show another sentence.
 */
function printable(text: string, length: number): string {
  const clean = text.replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]|[\u{10000}-\u{10ffff}]/gu, '?')
  return clean.length <= length ? clean : `${clean.slice(0, length - 1)}…`
}
