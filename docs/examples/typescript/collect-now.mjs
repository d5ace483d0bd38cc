// Collects what an account owes for a period, and prints the first outcome: plain JSON, no class of Duly's.
//
//     npm ci
//     node collect-now.mjs acc_42 2026-11
//
// The contract is docs/contract.md. Whatever is wrong with the request is said by the name of the field.
import { Client, Connection, WithStartWorkflowOperation, WorkflowUpdateFailedError } from '@temporalio/client';

const [account, period] = process.argv.slice(2);
const connection = await Connection.connect({ address: process.env.DULY_TEMPORAL_ADDRESS ?? '127.0.0.1:7233' });
const client = new Client({ connection, namespace: process.env.DULY_TEMPORAL_NAMESPACE ?? 'default' });

const start = new WithStartWorkflowOperation('Collection', {
  workflowId: `collection/${account}/${period}`,
  taskQueue: process.env.DULY_TASK_QUEUE ?? 'duly',
  args: [{ account_id: account, period }],
  workflowIdConflictPolicy: 'FAIL',
});
try {
  const outcome = await client.workflow.executeUpdateWithStart('first_outcome', { startWorkflowOperation: start });
  console.log(JSON.stringify(outcome));
} catch (error) {
  if (!(error instanceof WorkflowUpdateFailedError)) throw error;
  console.log(JSON.stringify({ type: error.cause.type, message: error.cause.message }));
  process.exitCode = 1;
} finally {
  await connection.close();
}
