"""The statements of the configuration. Each upsert returns a row only when it wrote one: `is_new` says which way."""

KNOWN = """
    select array(select id from duly.tax_rates) as tax_rates,
        array(select id from duly.payment_methods) as payment_methods,
        array(select distinct id from duly.dunning_policies) as dunning_policies,
        (select coalesce(jsonb_object_agg(id, kind), '{}') from duly.run_definitions) as kinds,
        (select coalesce(jsonb_object_agg(payment_method_id, provider_id), '{}') from duly.provider_methods)
            as handled_by,
        (select coalesce(jsonb_object_agg(p.id, jsonb_build_object('mode', p.mode,
            'merchant', p.merchant_id, 'application_fee', p.application_fee,
            'in_use', exists (select from duly.gateway_customers g where g.provider_id = p.id),
            'currencies', array(select currency from duly.provider_currencies c where c.provider_id = p.id))), '{}')
            from duly.providers p) as providers,
        (select coalesce(jsonb_object_agg(id, merchant_id), '{}') from duly.sellers) as sellers,
        (select coalesce(jsonb_object_agg(id, gateway), '{}') from duly.providers) as gateways,
        array(select id from duly.merchants) as merchants,
        (select coalesce(jsonb_object_agg(id, about), '{}') from duly.segments) as segments,
        (select coalesce(jsonb_object_agg(id, about), '{}') from duly.message_templates) as message_templates
"""
# `accounts` are the company's own that the document names, whatever they are.
KNOWN_LEDGER = """
    select array(select id from duly.payment_methods) as payment_methods,
        array(select id from duly.products) as products,
        (select jsonb_object_agg(id, classification) from duly.transaction_types) as transaction_types,
        (select coalesce(jsonb_object_agg(id, purpose), '{}') from duly.transaction_reasons) as transaction_reasons,
        array(select id from duly.due_date_rules) as due_date_rules,
        (select jsonb_agg(jsonb_build_object('prefix', prefix, 'is_per_year', is_per_year, 'is_gap_free', is_gap_free,
            'classification', classification)) from duly.number_series) as number_series,
        (select coalesce(jsonb_object_agg(id, jsonb_build_object('kind', kind, 'currency', currency,
            'has_money', duly.has_money(id))), '{}')
            from duly.accounts where id = any (cast(:accounts as text[]))) as accounts
"""
KNOWN_WALLETS = """
    select (select coalesce(jsonb_object_agg(id, jsonb_build_object('account', ledger_account,
            'tax_rate', tax_rate_id)), '{}') from duly.products) as products,
        (select coalesce(jsonb_object_agg(id, ledger_account), '{}') from duly.payment_methods) as payment_methods,
        (select jsonb_object_agg(id, classification) from duly.transaction_types) as transaction_types,
        (select coalesce(jsonb_object_agg(id, jsonb_build_object('direction', direction, 'product', product_id,
            'is_expiry', books_expiry and is_active,
            'funded_by', case when is_active then funded_by else '{}' end)), '{}')
            from duly.wallet_transaction_types) as types,
        (select coalesce(jsonb_object_agg(id, product_id is not null), '{}') from duly.voucher_types) as sold_vouchers
"""
# Of the rates of a document those whose posted lines without VAT say another category: only they are looked for.
STANDING_CATEGORIES = """
    select r.id, r.category, g.category as given
    from jsonb_to_recordset(cast(:rates as jsonb)) g (id text, category text)
    join duly.tax_rates r on r.id = g.id and r.category <> 'S' and r.category is distinct from g.category
    where exists (select from duly.transaction_lines l join duly.financial_transactions t on t.id = l.transaction_id
        where l.tax_rate_id = r.id and l.tax_percent = 0 and t.posted_at is not null)
"""
CONFLICTS = (
    "select kind, id, field, rule, used_by, users, example from duly.configuration_conflicts() order by 1, 2, 3, 4, 5"
)
CONFIGURATION_USER = "select duly.configuration_user(:kind, :id)"
TAKE_AWAY = "select duly.take_away_configuration(:kind, :id)"
OPEN_INTERNAL_ACCOUNT = "select duly.open_account(:id, :currency, :name, p_kind => 'internal')"
SET_ACCOUNT_STATE = "select duly.set_account_state(:id, :state)"

ADD_TAX_RATE = """
    insert into duly.tax_rates as t (id, name, percent, is_active, category, exemption)
    values (:id, :name, :percent, :active, :category, :exemption)
    on conflict (id) do update set name = excluded.name, percent = excluded.percent, is_active = excluded.is_active,
        category = excluded.category, exemption = excluded.exemption
    where (t.name, t.percent, t.is_active, t.category, t.exemption) is distinct from
        (excluded.name, excluded.percent, excluded.is_active, excluded.category, excluded.exemption)
    returning xmax = 0 as is_new
"""
ADD_PRODUCT = """
    insert into duly.products as t (id, name, product_line, tax_rate_id, ledger_account, is_active)
    values (:id, :name, :product_line, :tax_rate, :ledger_account, :active)
    on conflict (id) do update set name = excluded.name, product_line = excluded.product_line,
        tax_rate_id = excluded.tax_rate_id, ledger_account = excluded.ledger_account, is_active = excluded.is_active
    where (t.name, t.product_line, t.tax_rate_id, t.ledger_account, t.is_active) is distinct from
        (excluded.name, excluded.product_line, excluded.tax_rate_id, excluded.ledger_account, excluded.is_active)
    returning xmax = 0 as is_new
"""
ADD_METHOD = """
    insert into duly.payment_methods as t (id, name, ledger_account, is_active)
    values (:id, :name, :ledger_account, :active)
    on conflict (id) do update set name = excluded.name, ledger_account = excluded.ledger_account,
        is_active = excluded.is_active
    where (t.name, t.ledger_account, t.is_active) is distinct from
        (excluded.name, excluded.ledger_account, excluded.is_active)
    returning xmax = 0 as is_new
"""
ALLOW_METHOD = """
    update duly.transaction_types set allowed_methods = array_append(allowed_methods, cast(:id as text))
    where id = any (cast(:types as text[])) and cast(:id as text) <> all (allowed_methods)
"""
# A type allows one method at least: the last one stays, and stands in the way.
DISALLOW_METHOD = """
    update duly.transaction_types set allowed_methods = array_remove(allowed_methods, cast(:id as text))
    where id = any (cast(:types as text[])) and cast(:id as text) = any (allowed_methods)
        and cardinality(allowed_methods) > 1
"""
ADD_SERIES = """
    insert into duly.number_series (prefix, is_per_year, classification, is_gap_free)
    select :prefix, :per_year, classification,
        coalesce(cast(:gap_free as boolean), cast(classification as text) = any (:gap_free_by_default))
    from duly.transaction_types where id = :id
    on conflict (prefix, is_per_year) do nothing
"""
NUMBER_TYPE = """
    update duly.transaction_types t set number_prefix = :prefix, is_numbered_per_year = :per_year
    where t.id = :id
        and (t.number_prefix, t.is_numbered_per_year)
            is distinct from (cast(:prefix as text), cast(:per_year as boolean))
    returning false as is_new
"""
ADD_PROVIDER = """
    insert into duly.providers as t (id, gateway, mode, state, application_fee)
    values (:id, :gateway, :mode, :state, coalesce(cast(:application_fee as jsonb), '{}'))
    on conflict (id) do update set gateway = excluded.gateway, mode = excluded.mode, state = excluded.state,
        application_fee = coalesce(cast(:application_fee as jsonb), t.application_fee)
    where (t.gateway, t.mode, t.state, t.application_fee) is distinct from (excluded.gateway, excluded.mode,
        excluded.state, coalesce(cast(:application_fee as jsonb), t.application_fee))
    returning xmax = 0 as is_new
"""
ASSIGN_PROVIDER = """
    select duly.assign_provider(:provider, :merchant)
"""
ADD_CURRENCY = """
    insert into duly.provider_currencies as t (provider_id, currency, minimum_minor)
    values (:provider, :currency, :minimum)
    on conflict (provider_id, currency) do update set minimum_minor = excluded.minimum_minor
    where t.minimum_minor <> excluded.minimum_minor
    returning xmax = 0 as is_new
"""
ADD_PROVIDER_METHOD = """
    insert into duly.provider_methods as t (payment_method_id, provider_id) values (:method, :provider)
    on conflict (payment_method_id) do update set provider_id = excluded.provider_id
    where t.provider_id <> excluded.provider_id
    returning xmax = 0 as is_new
"""
# The lists of a provider are those of the document, whole.
KEEP_LISTS = """
    select duly.keep_provider_lists(:provider, cast(:currencies as text[]), cast(:methods as text[]))
"""
ADD_POLICY = """
    insert into duly.dunning_policies (id, segment, version, document) values (:id, :segment, :version, :document)
"""
ADD_SELLER = """
    insert into duly.sellers as t (id, merchant_id, name, street, postal_code, city, country, vat_id, tax_number,
        registration, email, phone, iban, bic, color, logo,
        attaches_documents, background_color, logo_url, templates, tax_currency)
    values (:id, :merchant, :name, :street, :postal_code, :city, :country, :vat_id, :tax_number, :registration, :email,
        :phone, :iban, :bic, :color, :logo, :attach_documents, :background_color, :logo_url,
        :templates, :tax_currency)
    on conflict (id) do update set merchant_id = excluded.merchant_id, name = excluded.name, street = excluded.street,
        postal_code = excluded.postal_code, city = excluded.city, country = excluded.country,
        vat_id = excluded.vat_id, tax_number = excluded.tax_number, registration = excluded.registration,
        email = excluded.email, phone = excluded.phone, iban = excluded.iban, bic = excluded.bic,
        color = excluded.color, logo = excluded.logo, attaches_documents = excluded.attaches_documents,
        background_color = excluded.background_color, logo_url = excluded.logo_url,
        templates = excluded.templates, tax_currency = excluded.tax_currency
    where to_jsonb(t) is distinct from to_jsonb(excluded)
    returning xmax = 0 as is_new
"""
# One after another: whoever holds this sees what the one before has committed, and nobody changes it meanwhile.
ONE_AT_A_TIME = "select pg_advisory_xact_lock(hashtext('duly.configuration'))"
SAY_WHO = "select set_config('duly.actor', :actor, true), set_config('duly.reason', :reason, true)"
KEEP_VERSION = "select duly.keep_configuration_version(:version, :document, :actor, :reason)"
SAY_VERSION = "select set_config('duly.configuration_version', :version, true)"
ADD_DEFINITION = """
    insert into duly.run_definitions as t (id, kind, name, state, provider_id, currencies, dunning_policy_id, schedule,
        shards, window_size, page_size, notifies_customer, criteria)
    values (:id, :kind, :name, :state, :provider, :currencies, :dunning_policy, :schedule, :shards, :window, :page,
        :notifies_customer, :criteria)
    on conflict (id) do update set name = excluded.name,
        state = case when :keeps_state then t.state else excluded.state end, provider_id = excluded.provider_id,
        currencies = excluded.currencies, dunning_policy_id = excluded.dunning_policy_id,
        schedule = case when :keeps_schedule then t.schedule else excluded.schedule end,
        shards = excluded.shards, window_size = excluded.window_size, page_size = excluded.page_size,
        notifies_customer = excluded.notifies_customer, criteria = excluded.criteria
    where (t.name, t.state, t.provider_id, t.currencies, t.dunning_policy_id, t.schedule, t.shards, t.window_size,
        t.page_size, t.notifies_customer, t.criteria) is distinct from (excluded.name,
        case when :keeps_state then t.state else excluded.state end, excluded.provider_id,
        excluded.currencies, excluded.dunning_policy_id,
        case when :keeps_schedule then t.schedule else excluded.schedule end, excluded.shards, excluded.window_size,
        excluded.page_size, excluded.notifies_customer, excluded.criteria)
    returning xmax = 0 as is_new
"""
