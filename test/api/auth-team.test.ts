// What an AuthTeam may say, what it gets by default, and how it is told what is wrong.
import { describe, expect, test } from '@jest/globals'
import { parseAuthTeam } from '../../src/api/auth-team.ts'
import { full, REFUSED, refusedDocument, smallest, withField } from './auth-teams.ts'

const team = (document: unknown) => {
  const parsed = parseAuthTeam(document)
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems))
  return parsed.value
}

const problems = (document: unknown) => {
  const parsed = parseAuthTeam(document)
  return 'problems' in parsed ? parsed.problems : []
}

const paths = (document: unknown) => problems(document).map(({ path }) => path)

describe('an AuthTeam', () => {
  test('that says the least gets every default', () => {
    expect(team(smallest())).toEqual({
      name: 'team-a',
      namespaces: { names: ['monitoring'], default: false },
      hosts: ['team-a.example.com', '*.team-a.example.com'],
      proxy: {
        service: { namespace: 'monitoring', name: 'oauth2-proxy', port: 80 },
        scheme: 'http',
        pathPrefix: '/oauth2',
        cookieDomains: ['team-a.example.com'],
        cookieName: '__Secure-team-a',
        bufferSize: '16k',
      },
      access: new Map(),
      headers: { accessToken: false, authorization: false },
      passthrough: 'HTTPRoute',
    })
  })

  test('that says everything keeps what it says', () => {
    const { namespaces, hosts, proxy, headers, passthrough } = team(full())
    const said = full().spec as Record<string, unknown>
    expect({ hosts, proxy, passthrough }).toEqual({
      hosts: said.hosts,
      proxy: said.proxy,
      passthrough: said.passthrough,
    })
    expect(headers).toEqual({ accessToken: true, authorization: false })
    expect(namespaces).toMatchObject({ names: ['monitoring-team-a'], default: true })
    expect({ ...namespaces.selector?.matchLabels }).toEqual({ 'auth.example/team': 'team-a' })
    expect(namespaces.selector?.matchExpressions).toEqual([
      { key: 'stage', operator: 'In', values: ['test', 'live'] },
      { key: 'frozen', operator: 'DoesNotExist', values: [] },
    ])
  })

  test('hands its headers on to access levels, field by field', () => {
    const { access } = team(full())
    expect([...access.keys()]).toEqual(['admins', 'robots'])
    expect(access.get('admins')?.headers).toEqual({ accessToken: true, authorization: false })
    expect(access.get('robots')?.headers).toEqual({ accessToken: false, authorization: true })
  })

  test('has the hosts of every cookie domain by default', () => {
    const document = withField(smallest(), 'spec.proxy.cookieDomains', ['a.example.com', 'a.example.org'])
    expect(team(document).hosts).toEqual(['a.example.com', '*.a.example.com', 'a.example.org', '*.a.example.org'])
  })

  test('may hold hosts on which nobody can log in, next to one where somebody can', () => {
    const document = withField(smallest(), 'spec.hosts', ['*-team-a.example.com', '*.team-a.example.com'])
    expect(team(document).hosts).toHaveLength(2)
    expect(team(withField(smallest(), 'spec.hosts', ['*.example.com'])).hosts).toEqual(['*.example.com'])
  })

  test('from a cluster keeps its uid and its age, and its status and metadata are nobody’s problem', () => {
    const document = {
      ...smallest(),
      metadata: { name: 'team-a', uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z', managedFields: [{}] },
      status: { somebodyElses: true },
    }
    expect(team(document)).toMatchObject({ uid: 'u', created: '2026-01-01T00:00:00Z' })
    expect('created' in team(withField(smallest(), 'metadata.creationTimestamp', null))).toBe(false)
  })

  test('is not changed by being read', () => {
    const document = full()
    team(document)
    expect(document).toEqual(full())
  })
})

describe('an AuthTeam is refused', () => {
  test.each(REFUSED.map(refused => [refused.because, refused] as const))('with %s, at that field', (_, refused) => {
    expect(paths(refusedDocument(refused))).toEqual([refused.path])
  })

  test('for every problem at once, rules between fields included', () => {
    const document = [
      ['metadata.name', 'Team A'],
      ['spec.namespaces', { names: [], label: 'x' }],
      ['spec.proxy.scheme', 'https'],
      ['spec.proxy.bufferSize', 'big'],
      ['spec.passthrough', 'Never'],
    ].reduce((changed, [path, value]) => withField(changed, path as string, value), smallest())
    expect(paths(document).sort()).toEqual([
      'metadata.name',
      'spec.namespaces',
      'spec.namespaces.label',
      'spec.proxy.bufferSize',
      'spec.proxy.caSecret',
      'spec.proxy.loginHost',
    ])
  })

  test('for what rules say about fields that are right, next to fields of the wrong type', () => {
    const document = [
      ['spec.hosts', [5, 'team-a.example.com', 'team-a.example.com']],
      ['spec.proxy.scheme', 'https'],
      ['spec.proxy.service', 'oauth2-proxy'],
    ].reduce((changed, [path, value]) => withField(changed, path as string, value), smallest())
    expect(paths(document).sort()).toEqual([
      'spec.hosts[0]',
      'spec.hosts[2]',
      'spec.proxy.caSecret',
      'spec.proxy.service',
    ])
  })

  test('for a field that does not exist, with the one that was probably meant', () => {
    const document = withField(
      withField(smallest(), 'spec.proxy.cookieDomain', ['a.example.com']),
      'spec.colour',
      'red',
    )
    expect(problems(document)).toEqual([
      { path: 'spec.proxy.cookieDomain', message: 'is not a field; did you mean cookieDomains?' },
      {
        path: 'spec.colour',
        message:
          'is not a field; take it out (the fields here are namespaces, hosts, proxy, access, headers, passthrough)',
      },
    ])
  })

  test('for a field beside the spec that belongs into it', () => {
    expect(paths({ ...smallest(), hosts: [] })).toEqual(['hosts'])
  })

  test('as another kind or version', () => {
    expect(problems({ ...smallest(), apiVersion: 'auth.example/v1' })).toEqual([
      { path: 'apiVersion', message: 'must be auth.example/v1alpha1' },
    ])
    expect(paths({ ...smallest(), kind: 'Team' })).toEqual(['kind'])
  })

  test.each([null, undefined, 5, 'text', [], true])('when the document is %p, without an exception', document => {
    expect(paths(document)).toEqual([''])
  })

  test('with keys such as __proto__ named, wherever they are, and no prototype touched', () => {
    const hostile = JSON.parse(
      '{"namespaces":{"selector":{"matchLabels":{"__proto__":"x","a":"b"}}},"__proto__":{"hosts":[]},"proxy":{"constructor":{},"service":{"namespace":"a","name":"b"},"cookieDomains":["a.example.com"]}}',
    )
    expect(paths({ ...smallest(), spec: hostile }).sort()).toEqual([
      'spec.__proto__',
      'spec.namespaces.selector.matchLabels.__proto__',
      'spec.proxy.constructor',
    ])
    expect(({} as Record<string, unknown>).hosts).toBeUndefined()
  })

  test('with a value that no text can be made of, wherever it stands, without an exception', () => {
    const none = JSON.parse('{"toString":"x","valueOf":"x"}')
    const document = withField(smallest(), 'spec.namespaces.selector', { matchLabels: { a: none } })
    expect(paths(document)).toEqual(['spec.namespaces.selector.matchLabels.a'])
    for (const field of ['spec.hosts', 'spec.proxy.service.port', 'spec.proxy.cookieDomains', 'metadata.name'])
      expect(paths(withField(smallest(), field, none)).length).toBeGreaterThan(0)
  })

  test('with sentences in one printable line that say what to do', () => {
    const all = REFUSED.flatMap(refused => problems(refusedDocument(refused)))
    expect(all.filter(({ message }) => !/^[\x20-\x7e]{10,250}$/.test(message))).toEqual([])
    expect(all.filter(({ message }) => message === 'is not valid')).toEqual([])
    expect(problems(withField(smallest(), 'spec.proxy.cookieDomains', undefined))[0]?.message).toMatch(
      /^must be given: Domains of the session cookie/,
    )
  })
})

test('labels of a selector are looked up without a prototype', () => {
  const { selector } = team(withField(smallest(), 'spec.namespaces.selector', { matchLabels: { a: 'b' } })).namespaces
  expect(Object.getPrototypeOf(selector?.matchLabels)).toBeNull()
})
