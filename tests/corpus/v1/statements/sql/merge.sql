-- one statement, with `;` in a text
merge into t using s on t.id = s.id
when matched then update set note = 'a;b';
