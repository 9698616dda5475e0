// The reference setups with the shipped manifests applied: facts are objects of the cluster, and come by watches.
import { prepareInstalled } from './installed-webhook.ts'
import { describeSetups } from './reference-setups.ts'
import { setupsIn } from './setups.ts'

describeSetups('kubectl on a labelled route, with Portcullis installed', setupsIn('reference-setups'), prepareInstalled)
