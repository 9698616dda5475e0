#!/usr/bin/env node
// The command line: argv to a command, signals to its end, what it returns to the exit code.
import { once } from 'node:events'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import packageJson from '../package.json' with { type: 'json' }
import { failure, type Io, USAGE } from './commands/io.ts'
import type { LogLevel } from './log.ts'

const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'fatal']

/** What a command gives back: its exit code. Commands are loaded when they are called, so that each starts fast. */
type Run = (result: Promise<number>) => Promise<void>

function addWebhook(portcullis: Command, io: Io, run: Run): void {
  const inCluster = ['kubeconfig', 'config']
  portcullis
    .command('webhook')
    .description('serve admission in a cluster, or from documents in a folder')
    .addOption(
      new Option(
        '--standalone <dir>',
        'no cluster: folder with teams, namespaces, classes, Gateways and configuration',
      ).conflicts(inCluster),
    )
    .option('--kubeconfig <file>', 'cluster to serve (default: $KUBECONFIG, ~/.kube/config, or that of the Pod)')
    .option('--config <file>', 'PortcullisConfig, read again when it changes (default: defaults)')
    .option('--port <port>', 'port to listen on; 0 takes a free one (default: 10250, standalone 8443)', port)
    .option('--health-port <port>', 'port of /healthz, /readyz and /metrics (default: 8081, standalone none)', port)
    .option('--host <host>', 'name or address to listen on (default: every address)')
    .option('--certs <dir>', 'folder of tls.crt and tls.key (default: as the configuration says; standalone: certs)')
    .option('--client-ca <file>', 'answer clients alone that have a certificate of this authority')
    .option('--client-name <name...>', 'and one of these names in it')
    .option(
      '--drain-delay <seconds>',
      'still serve for this long when told to end (default: 15, standalone 0)',
      seconds,
    )
    .addOption(new Option('--log-level <level>', 'least level that is logged').choices(LOG_LEVELS).default('info'))
    .action(async options => run((await import('./commands/webhook.ts')).webhook(options, io)))
}

function addCerts(portcullis: Command, io: Io, run: Run): void {
  portcullis
    .command('certs')
    .description('make development certificates, unless good ones are there')
    .argument('<dir>', 'folder for ca.crt, tls.crt and tls.key')
    .option('--name <name...>', 'further DNS names and IP addresses of the server')
    .action(async (dir, options) => run((await import('./commands/certs.ts')).certs({ ...options, dir }, io)))
}

function addReview(portcullis: Command, io: Io, run: Run): void {
  const operations = new Option('--operation <operation>', 'what is done to the object')
  portcullis
    .command('review')
    .description('send an object to a webhook as the API server would, and tell what comes back')
    .requiredOption('-f, --file <file>', 'YAML or JSON file with one object')
    .option('--server <url>', 'address of the webhook', 'https://localhost:8443')
    .option('--ca <file>', 'certificate authority of the webhook', 'certs/ca.crt')
    .option('-n, --namespace <namespace>', 'namespace of an object that names none')
    .addOption(operations.choices(['CREATE', 'UPDATE']).default('CREATE'))
    .addOption(
      new Option('--old <file>', 'the object before an update (default: the same)').implies({ operation: 'UPDATE' }),
    )
    .action(async options => run((await import('./commands/review.ts')).review(options, io)))
}

function addRender(portcullis: Command, io: Io, run: Run): void {
  portcullis
    .command('render')
    .description('print routes as they would be stored, and the objects that protect them')
    .requiredOption('-f, --file <file...>', 'YAML files and folders; - is standard input')
    .option('--facts <dir>', 'folder with teams, namespaces, classes, Gateways and configuration')
    .option('-n, --namespace <namespace>', 'namespace of objects that name none')
    .option('--diff', 'show what changes instead')
    .addOption(new Option('-o, --output <format>', 'format').choices(['yaml', 'json']).default('yaml'))
    .action(async options => run((await import('./commands/render.ts')).render(options, io)))
}

function addController(portcullis: Command, io: Io, run: Run): void {
  portcullis
    .command('controller')
    .description('keep what protects routes the way it has to be; of several one leads')
    .option('--kubeconfig <file>', 'cluster (default: $KUBECONFIG, ~/.kube/config, or that of the Pod)')
    .option('--config <file>', 'PortcullisConfig; read again when it changes')
    .option('--health-port <port>', 'port for /healthz, /readyz and /metrics (default: 8081)', port)
    .option('--host <host>', 'name or address to listen on (default: every address)')
    .addOption(new Option('--log-level <level>', 'least level that is logged').choices(LOG_LEVELS).default('info'))
    .action(async options => run((await import('./commands/controller.ts')).controller(options, io)))
}

function addStatus(portcullis: Command, io: Io, run: Run): void {
  onCluster(portcullis.command('status'))
    .description('list every route that is labelled or should be: protected by whom, or why not')
    .option('-n, --namespace <namespace>', 'routes of this namespace only')
    .addOption(new Option('-o, --output <format>', 'format').choices(['table', 'json']).default('table'))
    .action(async options => run((await import('./commands/status.ts')).status(options, io)))
}

function addEject(portcullis: Command, io: Io, run: Run): void {
  onCluster(portcullis.command('eject'))
    .description('take everything of Portcullis out of a cluster again: every protected route becomes public')
    .option('-n, --namespace <namespace>', 'undo in this namespace only, once webhooks and controller are out')
    .option('--dry-run', 'show what would be done')
    .option('--yes', 'ask nobody')
    .action(async options => run((await import('./commands/eject.ts')).eject(options, io)))
}

function onCluster(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'cluster (default: $KUBECONFIG, ~/.kube/config, or that of the Pod)')
    .option('--config <file>', 'PortcullisConfig (default: ConfigMap portcullis/portcullis)')
}

function addCrds(portcullis: Command, io: Io, run: Run): void {
  portcullis
    .command('crds')
    .description('print the CustomResourceDefinitions')
    .option('--write <dir>', 'write them to a folder instead')
    .action(async options => run((await import('./commands/crds.ts')).crds(options, io.out)))
}

function port(text: string): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && number <= 65_535) return number
  throw new InvalidArgumentError('It must be a number from 0 to 65535.')
}

function seconds(text: string): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && number <= 3600) return number
  throw new InvalidArgumentError('It must be a number of seconds, 3600 at most.')
}

function exitCodeOf(error: unknown, io: Io): number {
  // Commander has printed what was wrong, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE
  const { code, message } = failure(error)
  // What the system refuses says so in one line; anything else is a fault of ours, and its stack tells where.
  io.err(`portcullis: ${code === undefined && error instanceof Error ? error.stack : message}\n`)
  return USAGE
}

async function main(argv: readonly string[]): Promise<void> {
  const io: Io = {
    out: text => void process.stdout.write(text),
    err: text => void process.stderr.write(text),
    // Heard once: a second signal ends the process at once.
    stopped: async () => void (await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])),
  }
  // A reader that has seen enough, such as head, ends the output and nothing else.
  process.stdout.on('error', error => {
    if (failure(error).code !== 'EPIPE') throw error
    process.exit()
  })
  const portcullis = new Command('portcullis')
    .description('One label puts a login in front of a Kubernetes route.')
    .version(packageJson.version, '--version', 'print the version')
    .exitOverride()
    .showHelpAfterError('(--help says more)')
  const run: Run = async result => {
    process.exitCode = await result
  }
  for (const add of [addWebhook, addController, addCerts, addReview, addRender, addStatus, addEject, addCrds])
    add(portcullis, io, run)
  try {
    await portcullis.parseAsync(argv)
  } catch (error) {
    process.exitCode = exitCodeOf(error, io)
  }
}

await main(process.argv)
