import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { ROOT } from '../parity/sources.ts'
import { folder, run } from './portcullis.ts'

describe('the command line', () => {
  test.each([
    ['no command', []],
    ['an unknown command', ['protect']],
    ['an option that is missing', ['render']],
    ['an unknown option', ['certs', 'somewhere', '--days', '3']],
    ['a port that is none', ['webhook', '--standalone', '.', '--port', '70000']],
    ['a log level that is none', ['webhook', '--standalone', '.', '--log-level', 'loud']],
    ['an eject that nobody can be asked about', ['eject']],
    ['an output that is none', ['status', '-o', 'yaml']],
    ['an operation that is none', ['review', '-f', 'x', '--operation', 'DELETE']],
  ])('ends with 2 and says what is wrong for %s', async (_, args) => {
    const { code, out, err } = await run(...args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(/^(error: .*\n|Usage: |there is no terminal to ask on; )/)
  })

  test('ends with 0 when help is asked for', async () => {
    const { code, out } = await run('--help')
    expect(code).toBe(0)
    for (const command of ['webhook', 'certs', 'review', 'render', 'status', 'eject', 'crds'])
      expect(out).toMatch(new RegExp(`^  ${command} `, 'm'))
  })

  test('says which version it is', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    expect(await run('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' })
  })

  const dir = folder({ file: '', 'broken.yaml': 'a: [b\n c: {', 'list.yaml': '[1, 2]' })
  const at = (name: string) => join(dir, name)
  const noFolder = `${at('file')}: there is a file where a folder is needed\n`
  const noFile = `${at('none')}: there is no such file or folder`
  const noCluster = `; --kubeconfig names a cluster`
  const REFUSED: readonly [what: string, args: readonly string[], says: string][] = [
    ['a file for certificates', ['certs', at('file')], `portcullis: ${at('file/ca.crt')}: there is a file where a`],
    ['a file for definitions', ['crds', '--write', at('file')], `portcullis: ${noFolder}`],
    ['documents that are not there', ['webhook', '--standalone', at('none')], `portcullis: ${noFile}\n`],
    ['documents that are a file', ['webhook', '--standalone', at('file')], `portcullis: ${noFolder}`],
    ['facts that are a file', ['render', '-f', at('file'), '--facts', at('file')], noFolder],
    ['a kubeconfig that is not there', ['status', '--kubeconfig', at('none')], `${noFile}${noCluster}\n`],
    ['a kubeconfig that is a folder', ['controller', '--kubeconfig', dir], `${dir}: this is a folder, and a file`],
    ['a broken kubeconfig', ['eject', '--dry-run', '--kubeconfig', at('broken.yaml')], `${at('broken.yaml')} is no`],
    [
      'a kubeconfig of another kind',
      ['status', '--kubeconfig', at('list.yaml')],
      `${at('list.yaml')} is no kubeconfig`,
    ],
    ['a configuration that is not there', ['status', '--config', at('none')], `${noFile}\n`],
    ['an empty configuration', ['controller', '--config', at('file')], `${at('file')}: has to hold one PortcullisCon`],
  ]
  test.each(REFUSED)('ends with 2 and a line that says what is wrong with %s', async (_, args, says) => {
    const { code, out, err } = await run(...args)
    expect({ code, out, err: err.slice(0, says.length) }).toEqual({ code: 2, out: '', err: says })
    expect(err.trimEnd()).not.toMatch(/\n/)
  })

  test('makes no certificate for what is no name, and says so of each', async () => {
    const certs = join(dir, 'certs')
    expect(await run('certs', certs, '--name', 'a b', 'a.b.svc', '*.c', '::1', 'x..y')).toEqual({
      code: 2,
      out: '',
      err: '--name "a b" is neither a DNS name nor an IP address\n--name "x..y" is neither a DNS name nor an IP address\n',
    })
    expect(existsSync(certs)).toBe(false)
  })

  test('makes certificates once', async () => {
    const certs = join(folder({}), 'certs')
    expect(await run('certs', certs)).toEqual({
      code: 0,
      out: `made ca.crt, tls.crt and tls.key in ${certs}, because there were none\n`,
      err: '',
    })
    expect((await run('certs', certs)).out).toBe(`the certificates in ${certs} are good; nothing was changed\n`)
    expect((await run('certs', certs, '--name', 'a.b.svc')).out).toMatch(/because tls.crt was not for a\.b\.svc\n$/)
  })
})
