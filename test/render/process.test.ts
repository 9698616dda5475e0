import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { FACTS, ingress, names } from './rendering.ts'

const MAIN = join(import.meta.dirname, '../../src/main.ts')

function portcullis(args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'render', ...args], { input, encoding: 'utf8' })
  return { status, stdout, stderr }
}

test('the command reads standard input, prints what can be piped on, and ends with 0, 1 or 2', () => {
  const first = portcullis(['-f', '-', '--facts', FACTS], ingress('one'))
  expect({ ...first, stdout: names(first.stdout)[0] }).toEqual({ status: 0, stdout: 'Ingress apps/one', stderr: '' })
  expect(portcullis(['-f', '-', '--facts', FACTS], first.stdout)).toEqual(first)
  const refused = portcullis(['-f', '-', '--facts', FACTS, '-o', 'json'], ingress('one', { label: 'nobody' }))
  expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining('[team-unknown]') })
  expect(JSON.parse(refused.stdout).items).toHaveLength(1)
  const diff = portcullis(['--diff', '-n', 'apps', '--facts', FACTS, '-f', '-'], ingress('one'))
  expect(diff.stdout).toMatch(/^--- <stdin>\tIngress apps\/one\n/)
  expect(portcullis(['-f', '-', '--facts', FACTS], 'a: b: c')).toMatchObject({ status: 2, stdout: '' })
  expect(portcullis(['-f', '-', '-o', 'xml'])).toMatchObject({ status: 2, stdout: '' })
  expect(portcullis([])).toMatchObject({ status: 2, stdout: '' })
})
