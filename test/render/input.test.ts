import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { FACTS, httpRoute, ingress, names, renderText } from './rendering.ts'

let dir: string
const at = (name: string) => join(dir, name)

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'render-'))
})
afterEach(() => rm(dir, { recursive: true }))

describe('input', () => {
  test('is files, folders and standard input, each file once, in order', async () => {
    await writeFile(at('b.yaml'), ingress('two'))
    await writeFile(at('a.yml'), ingress('one'))
    await writeFile(at('notes.txt'), 'no: yaml: at all')
    const { out, code } = await renderText(ingress('three'), { file: ['-', dir, at('b.yaml'), '-'] })
    expect(code).toBe(0)
    expect(names(out).slice(0, 3)).toEqual(['Ingress apps/three', 'Ingress apps/one', 'Ingress apps/two'])
  })

  test('may lie in the folder of facts, and counts where the facts know an older state', async () => {
    const cluster = join(FACTS, 'cluster.yaml')
    const both = await renderText(ingress('one'), { file: [cluster, '-'] })
    expect(both).toMatchObject({ code: 0, err: '' })
    expect(both.out).not.toContain('PortcullisConfig')
    const moved =
      'apiVersion: auth.example/v1alpha1\nkind: AuthTeam\nmetadata: {name: blue}\nspec:\n  namespaces: {names: [far]}\n  proxy: {service: {namespace: far, name: proxy}, cookieDomains: [blue.example.com]}\n'
    expect((await renderText(`${moved}---\n${ingress('one', { label: 'blue' })}`)).err).toContain('[team-elsewhere]')
  })

  test('is read without its byte order mark', async () => {
    expect(await renderText(`\ufeff${ingress('one')}`)).toEqual(await renderText(ingress('one')))
  })

  test('that is bad gives every problem at once with file, line and field, nothing on standard output, and 2', async () => {
    await writeFile(at('syntax.yaml'), 'a: b: c\n')
    await writeFile(at('bytes.yaml'), Buffer.from([0xff, 0xfe, 0x41]))
    await writeFile(
      at('team.yaml'),
      '# a team\napiVersion: auth.example/v1alpha1\nkind: AuthTeam\nmetadata: {name: t}\nspec: {prox: 1}\n',
    )
    const file = ['syntax.yaml', 'bytes.yaml', 'team.yaml', 'none.yaml'].map(at)
    const { code, out, err } = await renderText(ingress('fine'), { file: [...file, '-'], facts: at('nowhere') })
    expect({ code, out }).toEqual({ code: 2, out: '' })
    for (const start of [
      `${at('syntax.yaml')}:1: is not valid YAML`,
      `${at('bytes.yaml')}: is not text in UTF-8`,
      `${at('team.yaml')}:5: spec.prox: is not a field`,
      `${at('none.yaml')}: there is no such file or folder`,
      `${at('nowhere')}: there is no such file or folder`,
    ]) {
      expect(err.split('\n').filter(line => line.startsWith(start))).toHaveLength(1)
    }
  })

  test.each([
    ['has nothing in it', '# nothing\n---\n', '<stdin>: there is no object in it'],
    [
      'has one route twice',
      `${ingress('a')}---\n${ingress('a')}`,
      '<stdin>:18: metadata.name: is the second Ingress apps/a; <stdin>:1 has the first',
    ],
    [
      'has a labelled route without a name',
      httpRoute('a').replace('  name: a\n', '  generateName: a-\n'),
      '<stdin>:3: metadata.name: must be given: kubectl apply needs it too',
    ],
  ])('that %s is refused', async (_, text, problem) => {
    expect(await renderText(text)).toEqual({ code: 2, out: '', err: `${problem}\n` })
  })
})
