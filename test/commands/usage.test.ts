import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
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

  test('says in one line what the system refuses', async () => {
    const dir = folder({ file: '' })
    const { code, err } = await run('certs', join(dir, 'file', 'certs'))
    expect(code).toBe(2)
    expect(err).toMatch(/^portcullis: ENOTDIR: .*\n$/)
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
