import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type Config, defaultConfig } from '../../src/api/config.ts'
import { type Following, followConfig, readConfigFile } from '../../src/facts/config-file.ts'

let file: string
let used: Config[]
let errors: object[]
let following: Following | undefined
beforeEach(() => {
  file = join(mkdtempSync(join(tmpdir(), 'portcullis-config-')), 'config.yaml')
  used = []
  errors = []
})
afterEach(() => following?.stop())

function write(...lines: string[]): void {
  writeFileSync(file, ['apiVersion: config.auth.example/v1alpha1', 'kind: PortcullisConfig', ...lines, ''].join('\n'))
}

async function follow(before: (next: Config) => void = () => {}): Promise<Following> {
  const read = await readConfigFile(file)
  if ('problems' in read) throw new Error(String(read.problems))
  const log = { info() {}, warn() {}, error: (fields: object) => void errors.push(fields) }
  const use = (next: Config) => {
    before(next)
    used.push(next)
  }
  following = followConfig({ file, config: read.config, everyMs: 10, use, log })
  return following
}

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !holds(); i++) await sleep(10)
  expect(holds()).toBe(true)
}

describe('the configuration file', () => {
  test('gives what it says, and defaults for the rest', async () => {
    write('settleSeconds: 30')
    expect(await readConfigFile(file)).toEqual({ config: { ...defaultConfig(), settleSeconds: 30 } })
  })

  test.each<[what: string, text: string, says: RegExp]>([
    ['is empty', '', /has to hold one PortcullisConfig and nothing else/],
    ['is of another kind', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}', /has to hold one PortcullisConfig/],
    ['is no YAML', 'kind: [', /config\.yaml:1: /],
    [
      'has a wrong field',
      'apiVersion: config.auth.example/v1alpha1\nkind: PortcullisConfig\nsettleSecond: 1',
      /config\.yaml:3: settleSecond: is not a field; did you mean settleSeconds\?/,
    ],
  ])('that %s is refused, with file, line and field', async (_, text, says) => {
    writeFileSync(file, text)
    const read = await readConfigFile(file)
    expect('problems' in read && read.problems.join('\n')).toMatch(says)
  })

  test('that is not there is refused', async () => {
    expect(await readConfigFile(file)).toEqual({
      problems: [expect.stringMatching(/config\.yaml: there is no such file or folder$/)],
    })
  })

  test('is told, once, where what it says cannot be used, and the next one is', async () => {
    write('settleSeconds: 1')
    await follow(({ settleSeconds }) => {
      if (settleSeconds === 2) throw new Error('two is too many')
    })
    write('settleSeconds: 2')
    await until(() => following?.problems().join() === `${file}: two is too many`)
    await sleep(50)
    expect(errors).toHaveLength(1)
    write('settleSeconds: 3')
    await until(() => used.length === 1)
    expect(following?.problems()).toEqual([])
  })

  test('is used anew when what it says changes, and not for a comment', async () => {
    write('settleSeconds: 1')
    await follow()
    write('# a comment', 'settleSeconds: 1')
    await sleep(50)
    expect(used).toEqual([])
    write('settleSeconds: 2')
    await until(() => used.length === 1)
    await sleep(50)
    expect(used.map(({ settleSeconds }) => settleSeconds)).toEqual([2])
    write('settleSeconds: 1')
    await until(() => used.length === 2)
  })

  test('never replaces a good one while it is broken or away, and says so once', async () => {
    write('settleSeconds: 1')
    const { problems } = await follow()
    write('settleSeconds: soon')
    await until(() => problems().length > 0)
    await sleep(50)
    expect(errors).toEqual([{ file, problems: [expect.stringMatching(/config\.yaml:3: settleSeconds: /)] }])
    rmSync(file)
    await until(() => String(problems()).includes('there is no such file'))
    expect(errors).toHaveLength(2)
    expect(used).toEqual([])
    write('settleSeconds: 2')
    await until(() => used.length === 1)
    expect(problems()).toEqual([])
  })
})
