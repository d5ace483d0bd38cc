-- A company issues as many vouchers at once as it prints.
alter table duly.voucher_batches drop constraint voucher_batches_vouchers_check;
alter table duly.voucher_batches add constraint voucher_batches_vouchers_check check (vouchers between 1 and 10000);
