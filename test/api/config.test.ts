// The configuration file: what serves without one, and that a typing error never passes for a setting.
import { describe, expect, test } from '@jest/globals'
import { defaultConfig, parseConfig } from '../../src/api/config.ts'

const config = (fields: object) =>
  parseConfig({ apiVersion: 'config.auth.example/v1alpha1', kind: 'PortcullisConfig', ...fields })

const problems = (fields: object) => {
  const parsed = config(fields)
  return 'problems' in parsed ? parsed.problems : []
}

const nginx = { controller: 'k8s.io/ingress-nginx', gateway: 'ingress-nginx' }
const envoy = { controller: 'gateway.envoyproxy.io/gatewayclass-controller', gateway: 'envoy-gateway' }

describe('the configuration', () => {
  test('without a file has the well-known controllers and hands no Gateway over', () => {
    expect(defaultConfig()).toEqual({
      namespace: 'portcullis',
      clusterDomain: 'cluster.local',
      solver: 'system:serviceaccount:cert-manager:cert-manager',
      controllers: [
        { ...nginx, annotationPrefix: 'nginx.ingress.kubernetes.io' },
        {
          controller: 'traefik.io/ingress-controller',
          gateway: 'traefik',
          separator: '-',
          trustForwardHeader: false,
        },
        { controller: 'traefik.io/gateway-controller', gateway: 'traefik', separator: '-', trustForwardHeader: false },
        { ...envoy, handedOver: [] },
      ],
      certificates: { mode: 'self' },
      settleSeconds: 5,
      injectionFormat: 1,
    })
  })

  test('that says nothing is the default one', () => {
    expect(config({})).toEqual({ value: defaultConfig() })
  })

  test('with a list of controllers has these and no others', () => {
    expect(config({ controllers: [{ ...nginx, annotationPrefix: 'ingress.example.com' }] })).toMatchObject({
      value: { controllers: [{ ...nginx, annotationPrefix: 'ingress.example.com' }] },
    })
  })

  test.each([
    ['a certificate as long as its authority', { authoritySeconds: 60, leafSeconds: 60 }],
    ['an authority shorter than certificates are if nothing is said', { authoritySeconds: 86_400 }],
    ['an overlap as long as a certificate', { leafSeconds: 120, overlapSeconds: 120 }],
  ])('with %s is refused', (_, certificates) => {
    expect(problems({ certificates }).map(({ path }) => path)).toEqual(['certificates.leafSeconds'])
  })

  test('with times for certificates has these', () => {
    const certificates = { authoritySeconds: 36, leafSeconds: 12, overlapSeconds: 4 }
    expect(config({ certificates })).toMatchObject({ value: { certificates: { mode: 'self', ...certificates } } })
  })

  test('that hands a Gateway over fills in its settings', () => {
    const handedOver = [{ namespace: 'envoy', name: 'main', strictListeners: ['https'] }]
    expect(config({ controllers: [{ ...envoy, handedOver }] })).toMatchObject({
      value: { controllers: [{ handedOver: [{ ...handedOver[0], drainSeconds: 60, keepEscapedSlashes: false }] }] },
    })
  })

  test.each([
    ['an unknown field', { clusterdomain: 'a' }, 'clusterdomain'],
    ['a namespace with a dash', { namespace: 'port-cullis' }, 'namespace'],
    ['a cluster domain with a leading dot', { clusterDomain: '.local' }, 'clusterDomain'],
    ['an unknown gateway', { controllers: [{ ...nginx, gateway: 'nginx' }] }, 'controllers[0].gateway'],
    [
      'a controller that is no controller name',
      { controllers: [{ ...nginx, controller: 'nginx' }] },
      'controllers[0].controller',
    ],
    ['a controller twice', { controllers: [nginx, nginx] }, 'controllers[1].controller'],
    ['a setting of another gateway', { controllers: [{ ...nginx, separator: '_' }] }, 'controllers[0].separator'],
    [
      'an unknown separator',
      { controllers: [{ controller: 'a/b', gateway: 'traefik', separator: '.' }] },
      'controllers[0].separator',
    ],
    [
      'a Gateway without a name',
      { controllers: [{ ...envoy, handedOver: [{ namespace: 'a' }] }] },
      'controllers[0].handedOver[0].name',
    ],
    [
      'a Gateway whose name no text can be made of',
      { controllers: [{ ...envoy, handedOver: [{ namespace: 'a', name: { toString: 'x' } }] }] },
      'controllers[0].handedOver[0].name',
    ],
    [
      'a negative drain time',
      { controllers: [{ ...envoy, handedOver: [{ namespace: 'a', name: 'b', drainSeconds: -1 }] }] },
      'controllers[0].handedOver[0].drainSeconds',
    ],
    ['certificates from a Secret without a name', { certificates: { mode: 'secret' } }, 'certificates.secret'],
    ['an unknown source of certificates', { certificates: { mode: 'acme' } }, 'certificates.mode'],
    ['a settle time in words', { settleSeconds: '5s' }, 'settleSeconds'],
    ['injection format 0', { injectionFormat: 0 }, 'injectionFormat'],
    ['injection format 1.5', { injectionFormat: 1.5 }, 'injectionFormat'],
    ['another kind', { kind: 'Config' }, 'kind'],
  ])('is refused with %s, at that field', (_, fields, path) => {
    expect(problems(fields).map(problem => problem.path)).toEqual([path])
  })

  test.each([
    [
      'in one list',
      [
        {
          ...envoy,
          handedOver: [
            { namespace: 'a', name: 'b' },
            { namespace: 'a', name: 'b' },
          ],
        },
      ],
    ],
    [
      'by two controllers',
      [
        { ...envoy, handedOver: [{ namespace: 'a', name: 'b' }] },
        { ...envoy, controller: 'example.com/other', handedOver: [{ namespace: 'a', name: 'b' }] },
      ],
    ],
  ])('is refused when it hands a Gateway over twice, %s', (_, controllers) => {
    expect(problems({ controllers }).map(({ message }) => message)).toEqual([expect.stringContaining('twice')])
  })

  test('is told every problem at once, with what was probably meant', () => {
    expect(problems({ namespace: 'a-b', settleSecond: 1, controllers: [{ ...envoy, handedover: [] }] })).toEqual([
      { path: 'namespace', message: expect.stringContaining('Traefik') },
      { path: 'controllers[0].handedover', message: 'is not a field; did you mean handedOver?' },
      { path: 'settleSecond', message: 'is not a field; did you mean settleSeconds?' },
    ])
  })

  test('says which gateways there are', () => {
    expect(problems({ controllers: [{ ...nginx, gateway: 'nginx' }] })[0]?.message).toBe(
      'must be one of ingress-nginx, traefik, envoy-gateway',
    )
  })
})
