// The queue as it is now: what waits and for what, who waits, and who works. No library, nothing
// from elsewhere; text only ever goes in as text. A token stays in this tab.
'use strict';

const refreshMs = 2000;
const jobsShown = 100;
const kinds = ['noop', 'train', 'predict', 'command'];
const byId = (id) => document.getElementById(id);
const opened = new Map();  // Job id: its explanation in words.

function element(name, text, parent) {
  const made = document.createElement(name);
  made.textContent = text === undefined ? '' : text;
  parent.appendChild(made);
  return made;
}

function table(id, headings, rows) {
  const body = byId(id);
  body.textContent = '';
  const head = element('tr', '', body);
  headings.forEach((text) => element('th', text, head));
  if (!rows.length) element('td', 'none', element('tr', '', body)).colSpan = headings.length;
  return rows.map((cells) => {
    const line = element('tr', '', body);
    cells.forEach((text) => element('td', text, line));
    return line;
  });
}

async function get(path) {
  const token = sessionStorage.getItem('token');
  const answer = await fetch('/api/v1/' + path, token ? {headers: {authorization: 'Bearer ' + token}} : {});
  const body = await answer.json();
  if (answer.ok) return body;
  const problem = new Error(body.detail || body.title || answer.statusText);
  problem.status = answer.status;
  throw problem;
}

function age(time) {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(time)) / 1000));
  if (seconds < 120) return seconds + ' s';
  return seconds < 7200 ? Math.round(seconds / 60) + ' min' : Math.round(seconds / 3600) + ' h';
}

function showQueue(queue) {
  const paused = (queue.paused || []).join(', ');
  byId('numbers').textContent = (queue.queued || 0) + ' jobs wait, ' + (queue.running || 0) + ' run' +
      (paused ? '; paused: ' + paused : '') + '.';
}

function explain(job) {
  if (opened.delete(job.id)) return refresh();
  opened.set(job.id, 'asking ...');
  return refresh();
}

function inWords(why) {
  const words = [why.message || why.reason];
  if (why.position) words.push('place ' + why.position + ' of ' + why.competing);
  if (why.expectedStartTime) words.push('expected to start ' + new Date(why.expectedStartTime).toLocaleString());
  if (why.expectedStartBasis) words.push(why.expectedStartBasis);
  return words.join('; ');
}

function showWaiting(jobs) {
  const lines = table('waiting', ['Job', 'Kind', 'Priority', 'Device', 'Waits', 'For', ''], jobs.map((job) => [
    job.id, kinds.find((kind) => job[kind]) || '', job.priority, job.device, age(job.createTime),
    job.reason || '', opened.get(job.id) || job.message || '']));
  if (!jobs.length) return;
  lines.forEach((line, i) => line.addEventListener('click', () => explain(jobs[i])));
}

function showTenants(tenants) {
  byId('tenants-section').hidden = false;
  table('tenants', ['Tenant', 'Waiting', 'Running', 'Devices', 'Weight'], tenants.map((tenant) => {
    const usage = tenant.usage || {};
    const most = tenant.maxRunning ? ' of ' + tenant.maxRunning : '';
    return [tenant.name, usage.queued || 0, usage.running || 0, (usage.devices || 0) + most, tenant.weight];
  }));
}

function workerState(worker) {
  const words = [(worker.state || '').toLowerCase()];
  if (worker.drainTime) {
    words.push('draining until ' + new Date(worker.drainTime).toLocaleString());
  } else if (worker.cordoned) {
    words.push('cordoned');
  }
  if (worker.cordonReason) words.push(worker.cordonReason);
  if (worker.hostBusy) words.push('its host is busy');
  return words.join('; ');
}

function showWorkers(workers) {
  table('workers', ['Worker', 'Host', 'Devices', 'Attempts', 'State'], workers.map((worker) => [
    worker.id, worker.host, (worker.devices || []).join(', '), worker.attempts || 0, workerState(worker)]));
}

async function refresh() {
  try {
    showQueue(await get('queue'));
    showWorkers((await get('workers')).workers || []);
    const filter = encodeURIComponent('state = QUEUED');
    const page = await get('jobs?pageSize=' + jobsShown + '&filter=' + filter);
    const jobs = page.jobs || [];
    for (const id of opened.keys()) {
      if (!jobs.some((job) => job.id === id)) opened.delete(id);
      else opened.set(id, inWords(await get('jobs/' + id + ':explain')));
    }
    showWaiting(jobs);
    // For those who may see all tenants.
    await get('tenants').then((answer) => showTenants(answer.tenants || []), (problem) => {
      if (problem.status !== 403) throw problem;
    });
    byId('problem').textContent = '';
    byId('sign-in').hidden = true;
  } catch (problem) {
    byId('problem').textContent = problem.message;
    byId('sign-in').hidden = problem.status !== 401 && problem.status !== 403;
  }
}

byId('sign-in').addEventListener('submit', (event) => {
  event.preventDefault();
  sessionStorage.setItem('token', byId('token').value.trim());
  refresh();
});

refresh();
setInterval(() => document.hidden || refresh(), refreshMs);
