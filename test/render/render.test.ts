import { describe, expect, test } from '@jest/globals'
import { httpRoute, ingress, names, objects, renderText } from './rendering.ts'

const CONFIG_MAP = `# theirs
apiVersion: v1
kind: ConfigMap
metadata: {name:   odd,  namespace: apps}
data:
    "a":    'b'   # aligned
    c: |+
        x

`

describe('what render prints', () => {
  test('has every other document byte for byte, without the configuration', async () => {
    const secret = 'kind: Secret\napiVersion: v1\nmetadata: {name: s}\n'
    const config = 'apiVersion: config.auth.example/v1alpha1\nkind: PortcullisConfig\n'
    const { out, err, code } = await renderText(
      `---\n\n${CONFIG_MAP}--- \n${secret}...\n---\n# nothing\n---\n${config}`,
      {
        facts: undefined as never,
      },
    )
    expect({ out, err, code }).toEqual({ out: `\n${CONFIG_MAP}---\n${secret}`, err: '', code: 0 })
  })

  test('has a route with its comments, order and layout, and nothing but the protection added', async () => {
    const text = ingress('shop', {
      head: '# the shop\n\n',
      annotations: "  annotations:\n    a.b/c:   'd'   # keep\n",
    }).replace('spec:', '\n# where\nspec:')
    const { out, code } = await renderText(text)
    expect(code).toBe(0)
    const [route] = out.split('---\n')
    const added = route?.split('\n').filter(line => !text.split('\n').includes(line)) ?? []
    expect(added.length).toBeGreaterThan(3)
    expect(added.every(line => /^ {4}(nginx.ingress.kubernetes.io\/|auth.example\/injected)/.test(line))).toBe(true)
    expect(route?.split('\n').filter(line => !added.includes(line))).toEqual(text.split('\n'))
  })

  test('comes in an order in which it can be applied, and nothing twice', async () => {
    const first = httpRoute('one')
    const second = httpRoute('two', { team: 'green' })
    const mixed = [
      first,
      CONFIG_MAP,
      second,
      'apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: more, namespace: edge}\nspec: {}\n',
      'apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: more}\nspec: {}\n',
      'apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: more}\nspec: {}\n',
      'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.com}\n',
      'apiVersion: v1\nkind: Namespace\nmetadata: {name: apps}\n',
      ingress('three'),
    ].join('---\n')
    const { out, code } = await renderText(mixed)
    expect(code).toBe(0)
    const all = names(out)
    expect(new Set(all).size).toBe(all.length)
    const kinds = all
      .map(name => name.replace(/(portcullis-[a-z]+[-.]).*/, '$1'))
      .filter(name => !name.startsWith('Middleware '))
    expect(kinds).toEqual([
      'Namespace apps',
      'CustomResourceDefinition things.example.com',
      'IngressClass more',
      'GatewayClass more',
      'Gateway edge/more',
      'ConfigMap apps/odd',
      'ClientTrafficPolicy edge/portcullis-client-',
      'HTTPRoute edge/portcullis-anchor-',
      'SecurityPolicy edge/portcullis-anchor-',
      'SecurityPolicy edge/portcullis-strict-',
      'ReferenceGrant blue-login/portcullis-from.',
      'ReferenceGrant green-login/portcullis-from.',
      'SecurityPolicy apps/portcullis-team.',
      'SecurityPolicy apps/portcullis-team.',
      'SecurityPolicy apps/portcullis-zz-',
      'HTTPRoute apps/one',
      'HTTPRoute apps/two',
      'Ingress apps/three',
      'HTTPRoute blue-login/portcullis-login-',
      'SecurityPolicy blue-login/portcullis-allow-',
      'HTTPRoute green-login/portcullis-login-',
      'SecurityPolicy green-login/portcullis-allow-',
      'Ingress blue-login/portcullis-login-',
    ])
  })

  test('rendered again is the same, text for text', async () => {
    const traefik = ingress('four').replace('spec:\n', 'spec:\n  ingressClassName: traefik\n')
    const routes = [ingress('one'), httpRoute('two'), httpRoute('three', { gateway: 'traefik' }), traefik].join('---\n')
    const first = await renderText(routes)
    const second = await renderText(first.out)
    expect(first.code).toBe(0)
    expect(second).toEqual(first)
    expect((await renderText(first.out, { diff: true })).out).toBe('')
  })

  test('has a companion as it is made now, where the input has an older one', async () => {
    const { out } = await renderText(httpRoute('one'))
    const old = out.replaceAll('defaultAction: Deny', 'defaultAction: Allow # by hand')
    expect(old).not.toBe(out)
    const again = await renderText(old)
    expect(again.out).toBe(out)
    expect((await renderText(old, { diff: true })).out).toMatch(
      /^-.*defaultAction: Allow # by hand\n\+.*defaultAction: Deny$/m,
    )
  })

  test('is the bare route where the label is gone from a protected one', async () => {
    const text = ingress('one', {
      annotations: '  annotations:\n    nginx.ingress.kubernetes.io/auth-url: http://own\n',
    })
    const [route = ''] = (await renderText(text)).out.split('---\n')
    expect(route).not.toBe(text)
    const open = (of: string) => of.replace('protect: "true"', 'protect: "false"')
    const released = await renderText(open(route))
    expect({ ...released, out: objects(released.out) }).toEqual({ code: 0, err: '', out: objects(open(text)) })
  })

  test('has a policy that lets an exempt route through a strict listener, and none for other open routes', async () => {
    const exemption = `apiVersion: auth.example/v1alpha1
kind: AuthExemption
metadata: {name: status-page}
spec:
  route: {kind: HTTPRoute, namespace: apps, name: status}
  hosts: [status.blue.example.com]
  reason: public on purpose
`
    const { out, code, err } = await renderText(
      [exemption, httpRoute('status', { label: 'false' }), httpRoute('other', { label: 'false' })].join('---\n'),
    )
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(names(out).slice(1)).toEqual([
      'HTTPRoute apps/status',
      'HTTPRoute apps/other',
      expect.stringMatching(/^SecurityPolicy apps\/portcullis-allow-/),
    ])
  })

  test('has each entry of a list as a document of its own, with its comments', async () => {
    const entry = (text: string) => `- ${text.trimEnd().replaceAll('\n', '\n  ')}\n`
    const config = CONFIG_MAP.replace('# theirs\n', '').replace('x\n\n', 'x\n')
    const list = `apiVersion: v1\nkind: List\nitems:\n${entry(ingress('one'))}# theirs\n${entry(config)}`
    const { out } = await renderText(list)
    expect(out).toContain(config)
    expect(out.startsWith('# theirs\n')).toBe(true)
    expect(names(out).slice(0, 2)).toEqual(['ConfigMap apps/odd', 'Ingress apps/one'])
    const shared = list
      .replace('labels:\n', 'labels: &l\n')
      .replace('\n  data:', '\n  data: *l\n  more: 9007199254740993\n  rest:')
    expect(shared).toContain('*l')
    const both = (await renderText(shared)).out
    expect(both).toContain('data:\n  auth.example/protect: "true"\n')
    expect(both).toContain('more: 9007199254740993')
  })

  test('as JSON is one list that says the same, whole numbers of any size included', async () => {
    const text = `${ingress('one')}---\n${CONFIG_MAP}big: 12345678901234567890\n`
    const yaml = await renderText(text)
    const json = await renderText(text, { output: 'json' })
    const list = JSON.parse(json.out)
    expect(list).toMatchObject({ apiVersion: 'v1', kind: 'List' })
    expect(list.items).toEqual(objects(yaml.out))
    expect(json.out).toContain('"big": 12345678901234567890\n')
    const again = await renderText(json.out, { output: 'json' })
    expect(again).toEqual(json)
  })
})

describe('the namespace', () => {
  const bare = (text: string) => text.replace('  namespace: apps\n', '')

  test('of a route that names none is that of -n, and is not written into it', async () => {
    const { out, code } = await renderText(bare(ingress('one')), { namespace: 'other' })
    expect(code).toBe(0)
    expect(objects(out)[0]?.metadata.namespace).toBeUndefined()
    expect(objects(out)[0]?.metadata.annotations?.['auth.example/injected']).toContain('"blue"')
    expect(out).toContain('stands-for: login of team blue on the hosts of Ingress other/one')
  })

  test('is "default" without -n, and a name that is there counts more', async () => {
    const refused = await renderText(bare(ingress('one')))
    expect(refused).toMatchObject({ code: 1, out: bare(ingress('one')) })
    expect(refused.err).toContain('Ingress default/one: refused: ')
    expect((await renderText(ingress('one'), { namespace: 'default' })).code).toBe(0)
  })
})

describe('the outcome', () => {
  test('is 1 if a route is refused: it is printed as it was, and named with the line and the reason', async () => {
    const text = `# first\n---\n${ingress('one')}---\n${ingress('two', { label: 'nobody' })}`
    const { code, out, err } = await renderText(text)
    expect(code).toBe(1)
    expect(out).toContain(`---\n${ingress('two', { label: 'nobody' })}`)
    const line = text.split('\n').findIndex(each => each.includes('nobody')) + 1
    expect(err).toMatch(new RegExp(`^<stdin>:${line}: Ingress apps/two: refused: .*nobody.* \\[team-unknown\\]\\n$`))
  })

  test('has every reason in a line of its own', async () => {
    const text = ingress('one', { label: 'nobody' }).replace('spec:\n', 'spec:\n  ingressClassName: none\n')
    const { err } = await renderText(text)
    expect(
      err
        .trim()
        .split('\n')
        .map(line => /\[([a-z-]+)\]$/.exec(line)?.[1]),
    ).toEqual(['team-unknown', 'class-unknown'])
  })

  test('is 0 with warnings, which are said all the same', async () => {
    const text = ingress('one', { annotations: '  annotations:\n    nginx.ingress.kubernetes.io/no-such: "1"\n' })
    const { code, err } = await renderText(text)
    expect(code).toBe(0)
    expect(err).toMatch(/^<stdin>:1: Ingress apps\/one: warning: .*\[annotation-unknown\]\n$/)
  })

  test('is 1 if the label is on another kind of route, where it would do nothing', async () => {
    const text = httpRoute('one').replace('kind: HTTPRoute', 'kind: TCPRoute')
    const { code, out, err } = await renderText(text)
    expect({ code, out }).toEqual({ code: 1, out: text })
    expect(err).toMatch(/TCPRoute apps\/one: refused: .*\[route-kind\]\n$/)
    const service = text.replace('TCPRoute', 'Service')
    expect(await renderText(service)).toEqual({ code: 0, out: service, err: '' })
  })

  test('says names that hold control characters in one printable line', async () => {
    const { err } = await renderText(ingress('one', { label: 'nobody' }).replace('name: one', 'name: "o\\ne\\e[31m"'))
    expect(err).toContain('Ingress apps/o?e?[31m: refused')
  })
})
