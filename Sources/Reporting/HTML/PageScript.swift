// The script of the page: shows one moment at a time, by slider, buttons, keys, clicks and address.

enum PageScript {
  static let text = #"""

    (() => {
      'use strict';
      const byId = id => document.getElementById(id);
      const data = JSON.parse(byId('data').textContent);
      const last = data.moments.length - 1;
      const rows = [...document.querySelectorAll('.step')];
      const slider = byId('slider'), status = byId('status');
      const steps = document.querySelector('.steps');
      const html = numbers => numbers.map(number => data.parts[number]).join('');
      let at = -1;

      // Only the list is scrolled, never the page: the drawing stays where it is.
      function reveal(row) {
        if (!row || steps.scrollHeight <= steps.clientHeight) return;
        const box = row.getBoundingClientRect(), frame = steps.getBoundingClientRect();
        const top = frame.top + 90, bottom = frame.bottom - 90;
        if (box.top < top) steps.scrollTop += box.top - top;
        if (box.bottom > bottom) steps.scrollTop += box.bottom - bottom;
      }

      function show(number, remember) {
        const index = Math.max(0, Math.min(last, number));
        if (index === at) return;
        at = index;
        const moment = data.moments[at];
        byId('now').innerHTML = data.parts[moment.now];
        byId('tree').innerHTML = html(moment.tree);
        byId('tree').setAttribute('aria-label', 'The page tables. ' + moment.title);
        byId('state').innerHTML = html(moment.state);
        slider.value = at;
        slider.setAttribute('aria-valuetext', moment.title);
        status.textContent = moment.title;
        byId('first').disabled = byId('back').disabled = at === 0;
        byId('next').disabled = byId('end').disabled = at === last;
        let current = null;
        for (const row of rows) {
          const its = Number(row.dataset.i);
          row.classList.toggle('cur', its === at);
          row.classList.toggle('later', its > at);
          if (its === at) { row.setAttribute('aria-current', 'step'); current = row; }
          else row.removeAttribute('aria-current');
        }
        if (at === 0) steps.scrollTop = 0; else reveal(current);
        document.documentElement.dataset.step = moment.label;
        if (remember) {
          try { history.replaceState(null, '', '#step=' + moment.label); } catch (error) { }
        }
      }

      function addressed() {
        const found = /^#step=([0-9.]+)$/.exec(location.hash);
        return found ? data.moments.findIndex(moment => moment.label === found[1]) : -1;
      }

      const moves = { first: () => 0, back: () => at - 1, next: () => at + 1, end: () => last };
      for (const [id, move] of Object.entries(moves)) {
        byId(id).addEventListener('click', () => show(move(), true));
      }
      slider.addEventListener('input', () => show(Number(slider.value), true));
      for (const link of document.querySelectorAll('a[data-i]')) {
        link.addEventListener('click', event => {
          if (event.metaKey || event.ctrlKey || event.shiftKey) return;
          event.preventDefault();
          show(Number(link.dataset.i), true);
          if (!link.classList.contains('step')) byId('player').scrollIntoView();
        });
      }
      const keys = { ArrowLeft: 'back', ArrowRight: 'next', Home: 'first', End: 'end' };
      addEventListener('keydown', event => {
        const name = keys[event.key];
        if (!name || event.target === slider) return;
        if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        show(moves[name](), true);
      });
      addEventListener('hashchange', () => { if (addressed() >= 0) show(addressed(), false); });
      addEventListener('beforeprint', () => show(last, false));

      document.documentElement.classList.add('js');
      show(addressed() >= 0 ? addressed() : last, false);
    })();

    """#
}
