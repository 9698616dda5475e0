// What the catalogue says of a part agrees with what lies beside it.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { type Part, type Program, partNames, partOf } from './catalogue.ts'
import { moduleFolder } from './locate.ts'

const isProgramPart = (part: Part): part is Program => part.kind === 'program'

const programs = partNames.map(partOf).filter(isProgramPart)

const releaseOf = (module: string, dependency: string): string | undefined => {
  const lines = readFileSync(join(import.meta.dirname, 'go', module, 'go.mod'), 'utf8').split('\n')
  return lines.map(line => line.trim().split(' ')).find(([name]) => name === dependency)?.[1]
}

test('every file beside a go.mod counts when it is asked whether a part has changed', () => {
  for (const program of programs) {
    const folder = moduleFolder(program)
    const files = readdirSync(folder, { recursive: true })
      .map(String)
      .filter(file => statSync(join(folder, file)).isFile())
    expect(files.sort()).toEqual(['go.mod', 'go.sum', ...(program.sources ?? [])].sort())
  }
})

test('the API server and the controllers are of one release, and say so', () => {
  expect(releaseOf('kube-controller-manager', 'k8s.io/kubernetes')).toBe(releaseOf('kubernetes', 'k8s.io/kubernetes'))
})

test('each program is told the release that its module is pinned to', () => {
  const told = (module: string) =>
    programs.filter(program => program.module === module).map(({ variables }) => Object.values(variables)[0])
  const pinned = {
    kubernetes: 'k8s.io/kubernetes',
    'kube-controller-manager': 'k8s.io/kubernetes',
    'envoy-gateway': 'github.com/envoyproxy/gateway',
    'oauth2-proxy': 'github.com/oauth2-proxy/oauth2-proxy/v7',
    traefik: 'github.com/traefik/traefik/v3',
    'cert-manager': 'github.com/cert-manager/cert-manager',
  }
  for (const [module, dependency] of Object.entries(pinned)) {
    for (const release of told(module)) expect(`v${release?.replace(/^v/, '')}`).toBe(releaseOf(module, dependency))
  }
})

test('the module laid over another is of the release that go.mod requires', () => {
  const overlaid = programs.filter(program => program.overlay)
  expect(overlaid).not.toHaveLength(0)
  for (const { module, overlay } of overlaid) expect(overlay?.version).toBe(releaseOf(module, overlay?.module ?? ''))
})
